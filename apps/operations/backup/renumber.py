"""Transaction ids of another server mean nothing here, and events are read in their order.

A dump carries them along: an event that transaction 5,000,000 wrote comes to a server whose own count has just
begun. Cursors that wait for their transactions to end would wait for years, and new events, with small numbers,
would lie behind them. So all events get the smallest numbers there are, in steps: between two cursors lies one
step, and each cursor stands at the end of its own. Where a server is copied with its counter (a base backup, a
snapshot of its disk, pg_upgrade), nothing is to be done, and nothing is.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

# Everything that stands somewhere in the events. A test compares this with the columns there are.
CURSORS = ("event_cursor", "webhook_cursor", "traffic_cursor")
# The first that a server does not keep for itself; any that runs has long given it away.
_FIRST = 3
_LAST_ID = 2**63 - 1
# Ids of events are told to others (the id of a webhook), and the time that was lost has used some.
SKIPPED_IDS = 1_000_000_000


def renumber() -> bool:
    """Whether there was anything to do. In one transaction; it writes the table of events anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Nobody writes an event in between.
        cursor.execute("LOCK TABLE message_event IN ACCESS EXCLUSIVE MODE")
        if not _is_foreign(cursor):
            return False
        standing = _standing(cursor)
        places = sorted(set(standing.values()))
        _rewrite(cursor, places)
        for name, place in standing.items():
            step = _FIRST + places.index(place)
            cursor.execute(
                f"UPDATE {name} SET transaction = %s::text::xid8, event_id = %s",  # noqa: S608 - of constants
                [str(step), _LAST_ID],
            )
    return True


def skip_ids() -> None:
    """So that no event of today is taken for one of the time that was lost."""
    with connection.cursor() as cursor:
        cursor.execute(_SKIP, [SKIPPED_IDS])


def _is_foreign(cursor: CursorWrapper) -> bool:
    newest = " UNION ALL ".join(
        f"SELECT max(transaction) FROM {name}"  # noqa: S608 - of constants
        for name in ("message_event", *CURSORS)
    )
    cursor.execute(
        f"SELECT max(newest.transaction) >= pg_current_xact_id() FROM ({newest}) AS newest (transaction)"  # noqa: S608
    )
    return bool(cursor.fetchone()[0])


def _standing(cursor: CursorWrapper) -> dict[str, tuple[int, int]]:
    """Where each cursor stands."""
    standing = {}
    for name in CURSORS:
        cursor.execute(f"SELECT transaction::text, event_id FROM {name}")  # noqa: S608 - of constants
        if row := cursor.fetchone():
            standing[name] = (int(row[0]), int(row[1]))
    return standing


def _rewrite(cursor: CursorWrapper, places: list[tuple[int, int]]) -> None:
    """The whole table at once, which is faster than changing its rows and leaves no dead ones."""
    steps = " ".join(
        f"WHEN (transaction, id) <= ('{at}'::xid8, {event_id}) THEN '{_FIRST + n}'::xid8"
        for n, (at, event_id) in enumerate(places)
    )
    rest = f"'{_FIRST + len(places)}'::xid8"
    step = f"CASE {steps} ELSE {rest} END" if steps else rest
    cursor.execute(f"ALTER TABLE message_event ALTER COLUMN transaction TYPE xid8 USING {step}")


_SKIP = """
SELECT setval(pg_get_serial_sequence('message_event', 'id'),
              (SELECT last_value FROM pg_sequences
                WHERE schemaname || '.' || sequencename = pg_get_serial_sequence('message_event', 'id')) + %s)
"""
