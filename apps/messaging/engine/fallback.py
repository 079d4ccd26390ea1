"""Another way to the same person: the next account or channel, when a message did not arrive.

Each step is a message of its own, which takes the place of the one before. It is taken when the provider refused
the message or the person, when attempts are exhausted, or when nobody said `delivered` in time. Never where the
outcome is unknown: the person may have the message.
"""


def take_due() -> int:
    """The next steps of messages whose time has come. How many were looked at."""
    return 0
