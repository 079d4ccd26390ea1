"""One moment of the database: what the dump shows, and what the manifest says of it, are of the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import Connection

from apps.operations.backup import postgres_tools
from apps.operations.backup.problem import AnotherIsAtWork, BackupFailed

_LOCK = 0x4261636B7570  # nobody else's advisory lock


@dataclass(frozen=True, slots=True)
class Snapshot:
    """For as long as the block lasts, nobody else backs up, and pg_dump may look at this moment."""

    id: str
    taken_at: datetime
    database_bytes: int
    postgres: str
    migrations: list[str]
    waiting: dict[str, int]


@contextmanager
def taken() -> Iterator[Snapshot]:
    try:
        connection = psycopg.connect(
            postgres_tools.conninfo(),
            password=postgres_tools.password(),
            autocommit=True,
            # Alerts on long transactions know it.
            application_name="recado-backup",
            # It does nothing while pg_dump works, for hours if need be.
            options="-c statement_timeout=60s -c idle_in_transaction_session_timeout=0",
        )
    except psycopg.OperationalError as error:
        raise BackupFailed(f"The database does not answer ({error}).") from error
    with connection:
        if not _one(connection, f"SELECT pg_try_advisory_lock({_LOCK})"):
            raise AnotherIsAtWork("Another backup is being made at this moment.")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield _look(connection)


def _look(connection: Connection) -> Snapshot:
    migrations = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1").fetchall()
    waiting = connection.execute("SELECT state, count(*) FROM delivery GROUP BY state ORDER BY state").fetchall()
    return Snapshot(
        id=str(_one(connection, "SELECT pg_export_snapshot()")),
        taken_at=_one(connection, "SELECT now()"),  # type: ignore[arg-type]
        database_bytes=int(str(_one(connection, "SELECT pg_database_size(current_database())"))),
        postgres=str(_one(connection, "SHOW server_version")),
        migrations=[name for (name,) in migrations],
        waiting=dict(waiting),
    )


def _one(connection: Connection, question: str) -> object:
    row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]
