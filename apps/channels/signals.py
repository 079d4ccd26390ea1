"""What others may want to know of channel accounts, without this app knowing them."""

from django.dispatch import Signal

# Sent after commit, with `account_id`: messages that waited may be able to leave now. The account was resumed,
# or given other limits or credentials.
account_resumed = Signal()
