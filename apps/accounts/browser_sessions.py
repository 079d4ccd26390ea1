"""Where browsers' sessions are kept: Django's table, asked only for keys that can be in it."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions


class SessionStore(DatabaseSessions):
    def __init__(self, session_key: str | None = None) -> None:
        """A cookie may hold anything, also characters that PostgreSQL refuses."""
        is_possible = session_key is not None and session_key.isascii() and session_key.isalnum()
        super().__init__(session_key if is_possible else None)
