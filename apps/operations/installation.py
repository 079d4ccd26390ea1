"""Reads what the whole installation looks like, for Prometheus: in web only, and at most every five seconds.

A few short statements and one round trip to Redis, however many ask and however many accounts there are. Where
PostgreSQL or Redis is away, the rest is told, and that something is missing.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from apps.channels.registry import NAMES
from apps.core.breaker import STATUSES, Breaker
from apps.core.metrics.declared import REGISTRY, Reading
from apps.core.redis import RedisError, redis_client
from apps.core.scripts import ask_all
from apps.messaging.engine.counted import WRITTEN_NOW
from apps.messaging.models.provider_callback import MOST_FAILURES
from apps.operations import metrics, workers

logger = structlog.get_logger(__name__)

REMEMBERED_SECONDS = 5.0
STATEMENT_MILLISECONDS = 2_000
MOST_BREAKERS = 500
MOST_COUNTED = 10_000
SOON_DAYS = 7

type Values = dict[tuple[str, ...], float]


class Installation(Collector):
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[Reading, Values] = {}
        self._read_at = float("-inf")

    def describe(self) -> Iterable[Metric]:
        """Without reading anything."""
        return []

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() - self._read_at >= REMEMBERED_SECONDS:
                self._read = read()
                # From its end: where the database is slow, it is not asked all the time.
                self._read_at = time.monotonic()
            known = self._read
        for reading, values in known.items():
            family = GaugeMetricFamily(reading.name, reading.says, labels=[label.name for label in reading.labels])
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family


_installation = Installation()


def show_installation() -> None:
    """Said by web, once."""
    REGISTRY.register(_installation)


def read() -> dict[Reading, Values]:
    found: dict[Reading, Values] = defaultdict(dict)
    failed = False
    busiest: Mapping[UUID, str] = {}
    try:
        # Another timeout than anybody else's, until the end of this transaction.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_MILLISECONDS}")
            _read_accounts(cursor, found)
            _read_counts(cursor, found)
            busiest = _busiest(cursor)
    except DatabaseError as error:
        failed = True
        connection.close()
        logger.warning("installation_not_read", reason=type(error).__name__)
    try:
        _read_breakers(busiest, found)
    except RedisError as error:
        failed = True
        found.pop(metrics.BREAKERS, None)
        logger.warning("installation_not_read", reason=type(error).__name__)
    if (alive := workers.alive()) is None:
        failed = True
    else:
        found[metrics.WORKERS_ALIVE] = {(): len(alive)}
    found[metrics.READ_FAILED] = {(): float(failed)}
    return found


def _read_accounts(cursor: CursorWrapper, found: dict[Reading, Values]) -> None:
    cursor.execute(_ACCOUNTS)
    for connector, state, accounts, waiting, scheduled, oldest in cursor.fetchall():
        for known in metrics.ACCOUNT_STATES:
            found[metrics.ACCOUNTS].setdefault((connector, known), 0)
        found[metrics.ACCOUNTS][connector, state] = accounts
        _add(found[metrics.BACKLOG], (connector,), waiting)
        _add(found[metrics.SCHEDULED], (connector,), scheduled)
        of_oldest = found[metrics.OLDEST_WAITING]
        # What waits because somebody stopped its account is in nobody's way, and wakes nobody.
        late = 0.0 if state in metrics.STOPPED else oldest
        of_oldest[connector,] = max(of_oldest.get((connector,), 0.0), late)
    cursor.execute(_DEAD_LETTERS)
    found[metrics.DEAD_LETTERS] = {(connector, error): n for connector, error, n in cursor.fetchall()}


def _read_counts(cursor: CursorWrapper, found: dict[Reading, Values]) -> None:
    cursor.execute(
        _COUNTS,
        {
            "most": MOST_COUNTED,
            "most_failures": MOST_FAILURES,
            "written_now": [str(kind) for kind in WRITTEN_NOW],
            "soon": SOON_DAYS,
        },
    )
    receipts, callbacks, webhooks, lag, silent, *keys = cursor.fetchone()
    for reading, value in (
        (metrics.RECEIPTS_UNMATCHED, receipts),
        (metrics.CALLBACKS_WAITING, callbacks),
        (metrics.WEBHOOKS_WAITING, webhooks),
        (metrics.STREAM_LAG, lag),
        (metrics.BEAT_SILENT, float("inf") if silent is None else silent),
    ):
        found[reading] = {(): value}
    found[metrics.KEYS_EXPIRING] = {(kind,): n for kind, n in zip(metrics.KINDS_OF_KEYS, keys, strict=True)}


def _busiest(cursor: CursorWrapper) -> Mapping[UUID, str]:
    cursor.execute(_BUSIEST, [MOST_BREAKERS])
    return dict(cursor.fetchall())


def _read_breakers(busiest: Mapping[UUID, str], found: dict[Reading, Values]) -> None:
    """An account for which nothing waits harms nobody, whatever its breaker does."""
    accounts: dict[str, float] = defaultdict(float)
    for (connector, _state), n in found[metrics.ACCOUNTS].items():
        accounts[connector] += n
    breakers = found[metrics.BREAKERS]
    for connector, n in accounts.items():
        breakers.update({(connector, status): 0.0 for status in STATUSES})
        breakers[connector, STATUSES[0]] = n
    client = redis_client()
    breaker = Breaker(client)
    questions = [breaker.asking_state(f"account:{account_id}") for account_id in busiest]
    states: list[Any] = ask_all(client, *questions) if questions else []
    for connector, state in zip(busiest.values(), states, strict=True):
        if state.status != STATUSES[0]:
            _add(breakers, (connector, state.status), 1)
            _add(breakers, (connector, STATUSES[0]), -1)


def _add(values: Values, labels: tuple[str, ...], n: float) -> None:
    values[labels] = values.get(labels, 0) + n


_NAMES = ", ".join(f"'{name}'" for name in NAMES)

_ACCOUNTS = f"""
SELECT connector,
       CASE WHEN paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > now())
            THEN CASE WHEN is_refused THEN 'refused' ELSE 'paused' END
            WHEN draining_at IS NOT NULL AND (draining_until IS NULL OR draining_until > now()) THEN 'draining'
            ELSE 'active' END AS state,
       count(*), coalesce(sum(waiting), 0)::float8, coalesce(sum(scheduled), 0)::float8,
       greatest(0, coalesce(extract(epoch FROM now() - min(oldest_due_at)), 0))::float8
  FROM channel_account AS account LEFT JOIN standing ON standing.account_id = account.id
 WHERE connector IN ({_NAMES})
 GROUP BY 1, 2
"""  # noqa: S608 - of constants

_DEAD_LETTERS = """
SELECT connector, error_class, sum(count::int)::float8
  FROM standing JOIN channel_account AS account ON account.id = standing.account_id,
       jsonb_each_text(dead_letters) AS letters (error_class, count)
 GROUP BY 1, 2
"""

_BUSIEST = """
SELECT account.id, account.connector
  FROM standing JOIN channel_account AS account ON account.id = standing.account_id
 WHERE waiting > 0
 ORDER BY waiting DESC
 LIMIT %s
"""

_COUNTS = """
SELECT (SELECT count(*) FROM (SELECT FROM parked_receipt LIMIT %(most)s) AS waiting),
       (SELECT count(*) FROM (SELECT FROM provider_callback WHERE failures < %(most_failures)s LIMIT %(most)s)
                          AS waiting),
       (SELECT count(*) FROM (SELECT FROM webhook_delivery WHERE state = 'waiting' LIMIT %(most)s) AS waiting),
       (SELECT coalesce(greatest(0, extract(epoch FROM now() - min(at))), 0)::float8
          FROM event_cursor AS cursor,
               LATERAL (SELECT at, kind
                          FROM message_event AS event
                         WHERE (event.transaction, event.id) > (cursor.transaction, cursor.event_id)
                         ORDER BY event.transaction, event.id
                         LIMIT 100) AS next
         WHERE next.kind = ANY(%(written_now)s)),
       (SELECT extract(epoch FROM now() - counted_at)::float8 FROM traffic_cursor LIMIT 1),
       (SELECT count(*) FROM api_key
         WHERE revoked_at IS NULL AND expires_at BETWEEN now() AND now() + make_interval(days => %(soon)s)),
       (SELECT count(*) FROM installation_key
         WHERE revoked_at IS NULL AND expires_at BETWEEN now() AND now() + make_interval(days => %(soon)s))
"""
