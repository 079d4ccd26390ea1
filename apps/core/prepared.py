"""Statements that PostgreSQL plans once a connection instead of each time they run.

For the long ones that run all the time: planning them costs as much as running them. Their parameters are bound by
the server, so it wants to know their types, and a plan serves lists of any length.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper

_cursor: Any = ServerBindingCursor  # its stubs do not know that it is one of psycopg's


@contextmanager
def one_breath() -> Iterator[None]:
    """A transaction whose statements go out without waiting for each other; reading an answer waits for it.

    What fails may be told only at the end. Callbacks for the commit would come before it, so there are none in here.
    """
    connection.ensure_connection()
    pooled: Any = connection.connection
    with connection.wrap_database_errors, pooled.pipeline(), transaction.atomic():
        yield


def prepared_cursor() -> CursorWrapper:
    connection.ensure_connection()
    cursor = _cursor(connection.connection)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
