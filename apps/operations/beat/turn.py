"""Whose turn it is: of all beats that run, one holds a lock of PostgreSQL, over a connection of its own.

The lock lives as long as its connection, so what is written over that connection was written by whoever had it.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

import psycopg
import structlog
from django.db import connections
from django_celery_beat.models import PeriodicTask

logger = structlog.get_logger(__name__)

_LOCK = 0x62656174  # nobody else's advisory lock

# Whichever end goes without a word, the other finds out within some ten seconds: beat, so that it does not hang;
# PostgreSQL, so that another beat can begin.
_CLIENT = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SERVER = (
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000"
    " -c statement_timeout=5s -c application_name=recado-beat"
)
_WRITE_DOWN = f"UPDATE {PeriodicTask._meta.db_table} SET last_run_at = %s, total_run_count = %s WHERE id = %s"  # noqa: S608


class Turn:
    """Every method raises psycopg.Error where the connection or the database is lost, and the turn with it."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None
        self.is_ours = False

    def take(self) -> bool:
        """Whether it is ours now, when nobody else had it."""
        if self._connection is None or self._connection.closed:
            self._connection = _connect()
        found = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        self.is_ours = found is not None and bool(found[0])
        return self.is_ours

    def check(self) -> None:
        self._held().execute("SELECT 1")

    def write_down(self, task_id: int, ran_at: datetime, runs: int) -> None:
        """That a task is sent now: before it is, so that nobody who comes after us sends it again."""
        self._held().execute(_WRITE_DOWN, [ran_at, runs, task_id])

    def give_up(self) -> None:
        self.is_ours = False
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _held(self) -> psycopg.Connection[Any]:
        if self._connection is None or not self.is_ours:
            raise psycopg.InterfaceError("It is not our turn.")
        return self._connection


def _connect() -> psycopg.Connection[Any]:
    parameters: dict[str, Any] = connections["default"].get_connection_params()
    options = parameters.get("options", "") + _SERVER
    return psycopg.connect(**{**parameters, **_CLIENT, "options": options, "autocommit": True})
