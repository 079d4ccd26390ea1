import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.prepared import prepared_cursor

pytestmark = pytest.mark.django_db

STATEMENT = "SELECT %(number)s::int + 1 AS known_by_this"


def test_statement_is_planned_once_a_connection() -> None:
    for number in (1, 2):
        with prepared_cursor() as cursor:
            cursor.execute(STATEMENT, {"number": number})
            assert cursor.fetchone() == (number + 1,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements "
                       "WHERE statement LIKE '%%known_by_this'")  # fmt: skip
        assert cursor.fetchall() == [(2,)]


def test_statement_is_seen_by_whoever_counts_statements() -> None:
    with CaptureQueriesContext(connection) as seen, prepared_cursor() as cursor:
        cursor.execute(STATEMENT, {"number": 1})
    assert len(seen) == 1
