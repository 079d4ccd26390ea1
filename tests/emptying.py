"""What a test committed is gone before the next one.

Django truncates every table, which makes new files of all of them, and writes permissions anew: 0.4 s a test.
"""

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

_ATTEMPTS = 5
# Written by migrations, and by nothing else.
_STAYS = {"django_migrations", "django_content_type", "auth_permission"}


def empty_tables() -> None:
    inspected = connection.introspection
    # Those in schemas of their own only Django's models know.
    names = {*inspected.table_names(), *inspected.django_table_names()} - _STAYS
    quoted = [connection.ops.quote_name(name) for name in sorted(names)]
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _empty(quoted)
        except OperationalError as error:
            # A request that a page left behind held one table and wanted another: it ends now, so once more.
            if not isinstance(error.__cause__, DeadlockDetected) or attempt == _ATTEMPTS:
                raise
        else:
            return


def _empty(quoted: list[str]) -> None:
    deletes = "; ".join(f"DELETE FROM {name}" for name in quoted)
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever is still writing is waited for.
        cursor.execute(f"LOCK TABLE {', '.join(quoted)} IN EXCLUSIVE MODE")
        # No foreign key is looked at: everything goes.
        cursor.execute(f"SET LOCAL session_replication_role = replica; {deletes}")
