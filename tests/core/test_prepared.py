import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.prepared import Call, Statement, prepared_cursor, run_together

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


ADD = Statement("add_numbers", ["int", "int"], "SELECT %s + %s")
NEGATE = Statement("negate", ["int"], "SELECT -%s")


@pytest.mark.django_db(transaction=True)
def test_statements_that_run_together_come_back_in_one() -> None:
    assert run_together(Call(NEGATE, [9]), Call(ADD, [1, 2])) == ([(3,)], [])
    assert run_together(Call(ADD, [1, 2]), then=Call(ADD, [3, 4])) == ([(3,)], [(7,)])


@pytest.mark.django_db(transaction=True)
def test_statement_that_was_forgotten_with_a_rollback_is_prepared_again() -> None:
    for then in (None, Call(ADD, [3, 4])):
        run_together(Call(ADD, [1, 2]))
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        assert run_together(Call(ADD, [1, 2]), then=then)[0] == [(3,)]


@pytest.mark.django_db
def test_statements_in_somebodys_transaction_leave_it_open() -> None:
    assert run_together(Call(ADD, [1, 2]), Call(ADD, [3, 4]))[0] == [(7,)]
    assert connection.in_atomic_block
