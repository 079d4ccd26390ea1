"""Does a claim of 200 take longer when a million wait than when ten thousand do?"""

import time
from statistics import median

from django.db import connection

from apps.messaging.engine.claim import claim
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.record import record
from bench.figure import CannotMeasure, Figure, milliseconds, percentile
from bench.office import Office
from bench.stage import Stage

CLAIMED = 200
CLAIMS = 50
FEW, MANY, IN_ONE = 10_000, 1_000_000, 100_000
FILL_SECONDS = 60


def measure(stage: Stage, office: Office) -> list[Figure]:
    rounds = stage.choose(3, 1)
    few: list[float] = []
    for _ in range(rounds):
        _fill(office, FEW)
        few += _claims(office)
    fill_seconds = _fill(office, MANY)
    many = [seconds for _ in range(rounds) for seconds in _claims(office)]
    office.queue_behind_another(IN_ONE)
    _settle_down()
    crowded = [seconds for _ in range(rounds) for seconds in _claims(office)]
    note = f"claim and record of {CLAIMED}, {len(few)} times each; a million were filled in {fill_seconds:.0f} s"
    if fill_seconds > FILL_SECONDS:
        raise CannotMeasure(f"filling a million took {fill_seconds:.0f} s")
    return [
        *_compare("claim with 1,000,000 waiting vs 10,000", many, few, note),
        *_compare("the same, 100,000 more in one conversation", crowded, few, ""),
    ]


def _compare(name: str, ours: list[float], against: list[float], note: str) -> list[Figure]:
    return [
        Figure(
            f"{name}, {word}",
            value(ours) / value(against),
            milliseconds(value(ours)),
            milliseconds(value(against)),
            most=1.5,
            note=note if value is median else "",
        )
        for word, value in (("median", median), ("p95", _p95))
    ]


def _p95(values: list[float]) -> float:
    return percentile(values, 95)


def _fill(office: Office, count: int) -> float:
    """Around that number on average while it is claimed from."""
    office.clear()
    count += CLAIMED * CLAIMS // 2
    started = time.monotonic()
    office.pile_up(count)
    seconds = time.monotonic() - started
    _settle_down()
    return seconds


def _settle_down() -> None:
    """What filling left to do is done now, and not while claims are timed."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE delivery, message, conversation")
        cursor.execute("CHECKPOINT")
        cursor.execute("RESET statement_timeout")


def _claims(office: Office) -> list[float]:
    taken = []
    for _ in range(CLAIMS):
        started = time.perf_counter()
        claimed = claim(office.account, CLAIMED)
        outcomes = [
            Outcome(
                each.message_id,
                each.conversation_id,
                claimed.lease,
                Result.SENT,
                provider_id=f"wamid.{each.message_id}",
                milliseconds=1,
            )
            for each in claimed.deliveries
        ]
        written = record(outcomes).number
        taken.append(time.perf_counter() - started)
        if written != CLAIMED:
            raise CannotMeasure(f"a claim of {CLAIMED} led to {written} records")
    return taken
