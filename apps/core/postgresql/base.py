"""Django's engine for PostgreSQL, with a pool that gets over a restart of the server at once."""

from typing import Any

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool

type Pool = ConnectionPool[Any]

# Its stubs do not know all of it.
_engine: Any = base.DatabaseWrapper


class DatabaseWrapper(_engine):  # type: ignore[misc]
    @property
    def pool(self) -> Pool | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        pools: dict[str, Pool] = self._connection_pools
        if self.alias not in pools:
            pool: Pool = ConnectionPool(
                kwargs=self.get_connection_params() | {"autocommit": True},
                open=False,
                configure=self._configure_connection,
                check=self._check,
                **options,
            )
            # Another thread may have been faster.
            pools.setdefault(self.alias, pool)
        return pools[self.alias]

    def _check(self, connection: Connection[Any]) -> None:
        """Where one has died, so have its neighbours.

        The pool would look at one after another and wait longer each time: after three of them a request would be
        told that there is no database.
        """
        try:
            ConnectionPool.check_connection(connection)
        except Exception:
            if self.pool:
                self.pool.drain()
            raise
