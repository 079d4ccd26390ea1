"""What empties the tables between tests gets its way without harming anybody who still writes."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from apps.accounts.models import Organization
from tests.cast import House
from tests.emptying import empty_tables

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def test_tables_are_emptied_though_somebody_who_still_writes_wants_them_the_other_way_round(aurora: House) -> None:
    has_the_last, may_go_on = Event(), Event()

    def write_backwards() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                # Whoever looks first is the one that gives way; this one would never look.
                cursor.execute("SET LOCAL deadlock_timeout = '30s'")
                cursor.execute("LOCK TABLE webhook_endpoint IN ROW EXCLUSIVE MODE")
                has_the_last.set()
                assert may_go_on.wait(10)
                cursor.execute("LOCK TABLE api_key IN ROW EXCLUSIVE MODE")
        finally:
            connection.close()

    def empty() -> None:
        try:
            empty_tables()
        finally:
            connection.close()

    def somebody_waits() -> bool:
        with connection.cursor() as cursor:
            return bool(cursor.execute(WAITING).fetchone()[0])

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(write_backwards)
        assert has_the_last.wait(10)
        emptying = pool.submit(empty)
        deadline = time.monotonic() + 10
        while not somebody_waits():
            assert time.monotonic() < deadline, "nobody waits for the tables"
        may_go_on.set()
        writing.result(20)
        emptying.result(20)

    assert not Organization.objects.exists()
