class BackupFailed(Exception):
    """Why, and what to do, in words without secrets."""


class AnotherIsAtWork(BackupFailed):
    """Two at once would only take each other's time."""
