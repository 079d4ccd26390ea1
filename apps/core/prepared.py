"""Statements that PostgreSQL plans once a connection instead of each time they run.

For the long ones that run all the time: planning them costs as much as running them. Their parameters are bound by
the server, so it wants to know their types, and a plan serves lists of any length.
"""

from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper

_cursor: Any = ServerBindingCursor  # its stubs do not know that it is one of psycopg's


def prepared_cursor() -> CursorWrapper:
    connection.ensure_connection()
    cursor = _cursor(connection.connection)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
