"""The pool of connections to PostgreSQL, which may go away."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from apps.core.postgresql.base import DatabaseWrapper

# More than it would get over by looking at one after another.
SIZE = 6


@pytest.fixture
def pool(db: None) -> Iterator[ConnectionPool[Any]]:
    settings = deepcopy(connection.settings_dict)
    settings["OPTIONS"]["pool"] = {"min_size": SIZE, "max_size": SIZE, "timeout": 5}
    wrapper = DatabaseWrapper(settings, alias="pooled")
    pool = wrapper.pool
    assert pool
    pool.open(wait=True)
    yield pool
    wrapper.close_pool()


def test_next_request_has_a_connection_although_all_of_them_died(pool: ConnectionPool[Any]) -> None:
    taken = [pool.getconn() for _ in range(SIZE)]
    dead = [each.info.backend_pid for each in taken]
    for each in taken:
        pool.putconn(each)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [dead])
    given = pool.getconn()
    assert given.execute("SELECT 1").fetchone() == (1,)
    assert given.info.backend_pid not in dead
    pool.putconn(given)
