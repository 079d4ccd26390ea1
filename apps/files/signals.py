"""What other apps may listen to."""

from django.dispatch import Signal

# An upload became a file, or never will. In the transaction that says so; with `upload`, and `file` or None.
upload_ended = Signal()
