"""What others may want to know of messages, without this app knowing them."""

from django.dispatch import Signal

# Sent with `organization_ids`, as text, when events of theirs were published: whoever reads them from a cursor of
# their own finds more. A hint: whoever dies before sending it leaves the events to the readers' own sweeps.
events_published = Signal()
