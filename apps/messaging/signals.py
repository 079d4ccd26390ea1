"""What others may want to know of messages, without this app knowing them."""

from django.dispatch import Signal

# Sent with `organization_ids`, as text, when events of theirs were published: whoever reads them from a cursor of
# their own finds more. A hint: whoever dies before sending it leaves the events to the readers' own sweeps.
events_published = Signal()

# Sent with `organization` and `received` in the transaction in which people's messages are written down, once.
messages_received = Signal()

# Sent with `organization`, `merged_id` and `into_id` in the transaction in which two contacts become one, after
# all that refers to the first by a foreign key has been given to the other.
contacts_merged = Signal()
