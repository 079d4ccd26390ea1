"""Whether a process gets on with its work: pure functions of what was seen of it.

Celery is known to answer, and to take nothing any more, after it lost its broker and found it again. What counts
is that tasks are started, not that a process is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

# A worker that lost its broker tries again after half a minute at the latest, which is no reason to restart it.
SILENT_SECONDS = 60.0
STUCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    is_well: bool
    words: str


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """At one look. Moments are those of a clock that only goes forward."""

    at: float
    # The last heartbeat of the consumer; when it began, before the first.
    heard_at: float
    # Tasks, since it began.
    started: int
    # By queue, those of this worker. None while the broker does not answer, nothing where it cannot tell.
    waiting: Mapping[str, int] | None
    # Taken out of a queue and not yet started.
    handed_over: int
    # How many more tasks it could work on now.
    free: int
    is_stopping: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """From one look at a worker to the next."""

    started: int = -1
    # Since when tasks wait that it could work on, and none was started.
    stuck_since: float | None = None
    # When the broker last did not answer.
    away_at: float = float("-inf")


def judge_worker(before: Remembered, seen: WorkerSeen) -> tuple[Remembered, Health]:
    """A broker that is away is no reason to restart: all workers would, at once, and find it no sooner."""
    if seen.is_stopping:
        return Remembered(seen.started), Health(True, "stopping: finishes what it has begun")
    if seen.waiting is None:
        after = Remembered(seen.started, away_at=seen.at)
        return after, Health(True, "degraded: the broker does not answer")
    silent = seen.at - max(seen.heard_at, before.away_at)
    stuck_since = _stuck_since(before, seen)
    after = replace(before, started=seen.started, stuck_since=stuck_since)
    if silent > SILENT_SECONDS:
        return after, Health(False, f"the consumer has sent no heartbeat for {silent:.0f} s")
    if stuck_since is not None and seen.at - stuck_since > STUCK_SECONDS:
        return after, Health(False, f"{_what_waits(seen)}, and none was started for {seen.at - stuck_since:.0f} s")
    return after, Health(True, "well")


def judge_beat(silent: float, state: str) -> Health:
    if silent > SILENT_SECONDS:
        return Health(False, f"the scheduler has not ticked for {silent:.0f} s")
    return Health(True, state)


def _stuck_since(before: Remembered, seen: WorkerSeen) -> float | None:
    """From the first look that saw something wait: before that the worker may have had nothing to do."""
    waits = seen.handed_over + sum((seen.waiting or {}).values())
    if not waits or seen.free <= 0 or seen.started != before.started:
        return None
    return seen.at if before.stuck_since is None else before.stuck_since


def _what_waits(seen: WorkerSeen) -> str:
    queues = [f"{count} in {queue}" for queue, count in sorted((seen.waiting or {}).items()) if count]
    if seen.handed_over:
        queues.append(f"{seen.handed_over} handed to a child")
    return f"tasks wait ({', '.join(queues)}), {seen.free} more could be worked on"
