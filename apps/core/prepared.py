"""Statements that PostgreSQL plans once a connection instead of each time they run.

For the long ones that run all the time: planning them costs as much as running them. Their parameters are bound by
the server, so it wants to know their types, and a plan serves lists of any length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.db import ProgrammingError, connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from psycopg.errors import InvalidSqlStatementName

_cursor: Any = ServerBindingCursor  # its stubs do not know that it is one of psycopg's


def prepared_cursor() -> CursorWrapper:
    connection.ensure_connection()
    cursor = _cursor(connection.connection)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)


@dataclass(frozen=True, slots=True)
class Statement:
    """One that has a name, so that it can be planned once and still be sent together with others."""

    name: str
    # Of the places in the text, which are written %s.
    types: Sequence[str]
    text: str

    @property
    def preparation(self) -> str:
        numbered = self.text % tuple(f"${n}" for n in range(1, len(self.types) + 1))
        return f"PREPARE {self.name} ({', '.join(self.types)}) AS {numbered}"

    @property
    def execution(self) -> str:
        return f"EXECUTE {self.name} ({', '.join(['%s'] * len(self.types))})"


@dataclass(frozen=True, slots=True)
class Call:
    statement: Statement
    values: Sequence[object]


type Rows = list[tuple[Any, ...]]

_known: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def run_together(*calls: Call, then: Call | None = None) -> tuple[Rows, Rows]:
    """The rows of the last of them, and of `then`. All go out in one message.

    They are one transaction, and `then` is another after it. Each sees what was committed before its own turn, so
    one may lock what the next decides on.
    """
    if connection.in_atomic_block:
        assert then is None, "it would commit what others began"
        return _run(calls, None, [call.statement.text for call in calls])
    try:
        return _run_prepared(calls, then)
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InvalidSqlStatementName):
            raise
        # With a rollback everything that was prepared is forgotten. Nothing of this has happened.
        connection.rollback()
        _known.pop(connection.connection, None)
        return _run_prepared(calls, then)


def _run_prepared(calls: Sequence[Call], then: Call | None) -> tuple[Rows, Rows]:
    everything = [*calls, *([then] if then else [])]
    with connection.cursor() as cursor:
        known = _known.setdefault(connection.connection, set())
        for call in everything:
            if call.statement.name not in known:
                cursor.execute(call.statement.preparation)
                known.add(call.statement.name)
    executions = [call.statement.execution for call in calls]
    if then is None:
        return _run(calls, None, executions)
    return _run(calls, then, ["BEGIN", *executions, "COMMIT", then.statement.execution])


def _run(calls: Sequence[Call], then: Call | None, statements: Sequence[str]) -> tuple[Rows, Rows]:
    values: list[Any] = [value for call in [*calls, *([then] if then else [])] for value in call.values]
    results: list[Rows] = []
    with connection.cursor() as cursor:
        cursor.execute("; ".join(statements), values)
        while True:
            if cursor.description is not None:
                results.append(cursor.fetchall())
            if not cursor.nextset():
                break
    return (results[-2], results[-1]) if then is not None else (results[-1], [])
