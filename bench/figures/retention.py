"""What it costs a dispatch that old messages are deleted at the same time."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.db import connection

from apps.accounts.models import Organization
from bench.dispatching import Contest
from bench.figure import CannotMeasure, Figure, rate
from bench.layouts import OURS
from bench.office import Office
from bench.stage import Stage
from local.places import ROOT
from local.processes import Process

ROUNDS = 3
KEPT_DAYS = 30
BEGINS_WITHIN_SECONDS = 60


def measure(stage: Stage, office: Office) -> list[Figure]:
    contest = Contest(stage, office)
    count = stage.choose(20_000, 10_000)
    layout = OURS[0]
    archive = _Archive(stage, office, stage.choose(200_000, 100_000))
    alone, beside = [], []
    for _ in range(stage.choose(ROUNDS, 1)):
        alone.append(contest.ours(layout, count))
        beside.append(contest.ours(layout, count, beside=archive.shrinking))
    return [
        Figure(
            "dispatch while old messages are deleted vs alone",
            median(beside) / median(alone),
            rate(median(beside)),
            rate(median(alone)),
            least=0.8,
            note=f"median of {len(alone)}, in turns; {rate(median(archive.deleted))} deleted meanwhile, "
            f"each with four events; {layout.name}",
        )
    ]


@dataclass
class _Archive:
    """Of another organization, which keeps its messages for a month, and has them for a year."""

    stage: Stage
    office: Office
    size: int

    def __post_init__(self) -> None:
        self.organization = Organization.objects.create(
            name="Archive", slug="archive", message_retention_days=KEPT_DAYS
        )
        # Messages a second, of each round.
        self.deleted: list[float] = []

    @contextmanager
    def shrinking(self) -> Iterator[None]:
        """From when the first are gone; it must not be through before the block ends."""
        self._fill()
        command: list[str | Path] = [
            sys.executable,
            ROOT / "manage.py",
            "shell",
            "--verbosity",
            "0",
            "--command",
            _DELETE,
        ]
        process = Process("retention", command, self.stage.folder / "retention.log")
        process.start()
        try:
            self._wait(lambda: self._left() < self.size, process)
            before, started = self._left(), time.monotonic()
            yield
            after, seconds = self._left(), time.monotonic() - started
            if not after:
                raise CannotMeasure(f"{self.size:,} old messages were deleted before the dispatch was over")
            self.deleted.append((before - after) / seconds)
        finally:
            process.stop()

    def _fill(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(
                _FILL,
                {
                    "organization": self.organization.id,
                    "account": self.office.account.id,
                    "count": self.size,
                    "people": self.size // 10,
                },
            )
            cursor.execute("SET session_replication_role = origin")
            cursor.execute(
                "UPDATE event_cursor SET transaction = pg_current_xact_id(), "
                "event_id = (SELECT max(id) FROM message_event)"
            )
            cursor.execute("VACUUM ANALYZE message, message_event, conversation")
            cursor.execute("RESET statement_timeout")

    def _left(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM message WHERE organization_id = %s", [self.organization.id])
            return int(cursor.fetchone()[0])

    def _wait(self, is_so: Callable[[], bool], process: Process) -> None:
        deadline = time.monotonic() + BEGINS_WITHIN_SECONDS
        while not is_so():
            if process.exit_code is not None or time.monotonic() > deadline:
                raise CannotMeasure(f"nothing was deleted.\n{process.last_lines()}")
            time.sleep(0.1)


_DELETE = "from apps.messaging.retention import delete_old; delete_old()"

# Ids are made of time, so theirs say how old they are.
_FILL = """
WITH person AS MATERIALIZED (
    SELECT n, uuidv7() AS contact_id, uuidv7() AS conversation_id FROM generate_series(1, %(people)s) AS n
), met AS (
    INSERT INTO contact (id, organization_id, name, created_at)
    SELECT contact_id, %(organization)s, '', now() FROM person
), talked AS (
    INSERT INTO conversation (id, organization_id, account_id, contact_id, address, created_at)
    SELECT conversation_id, %(organization)s, %(account)s, contact_id, '+5521' || (900000000 + n), now()
      FROM person
), old AS MATERIALIZED (
    SELECT uuidv7(interval '-400 days' + make_interval(secs => number)) AS id, conversation_id, number
      FROM generate_series(1, %(count)s) AS number
      JOIN person ON person.n = 1 + number %% %(people)s
), written AS (
    INSERT INTO message (id, organization_id, account_id, conversation_id, status, text, priority, reference,
                         metadata, expires_at, provider_id, error_class, error_code, error_detail, created_at)
    SELECT id, %(organization)s, %(account)s, conversation_id, 'delivered', 'Your order is on its way.', 1, '',
           '{}', now(), 'wamid.' || number, '', '', '', uuid_extract_timestamp(id)
      FROM old
)
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
SELECT %(organization)s, id, conversation_id, kind, now(), 0, '{}'
  FROM old CROSS JOIN unnest(ARRAY['queued', 'sending', 'sent', 'delivered']) AS kind
 ORDER BY id
"""
