"""What is seen of a worker, from within its parent process."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from celery.signals import heartbeat_sent, task_revoked, worker_shutting_down
from celery.worker import state
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError

from apps.core.redis import RedisError, redis_at
from apps.operations.progress import verdict
from apps.operations.progress.verdict import Health, Remembered, WorkerSeen

_CONNECT_SECONDS = 2


class WorkerProgress:
    """One a process, made before the consumer begins."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._heard_at = time.monotonic()
        # Those that were too old to be started, which is progress as well.
        self._dropped = 0
        self._is_stopping = False
        self._remembered = Remembered()
        self._one_at_a_time = threading.Lock()
        heartbeat_sent.connect(self._hear, weak=False)
        task_revoked.connect(self._drop, weak=False)
        worker_shutting_down.connect(self._stop, weak=False)

    def health(self) -> Health:
        with self._one_at_a_time:
            self._remembered, health = verdict.judge_worker(self._remembered, self._look())
        return health

    def _look(self) -> WorkerSeen:
        active = len(state.active_requests)
        return WorkerSeen(
            at=time.monotonic(),
            heard_at=self._heard_at,
            started=state.all_total_count[0] + self._dropped,
            waiting=waiting(list(self._worker.app.amqp.queues.consume_from)),
            handed_over=max(0, len(state.reserved_requests) - active),
            free=self._worker.pool.num_processes - active,
            is_stopping=self._is_stopping,
        )

    def _hear(self, **_: object) -> None:
        self._heard_at = time.monotonic()

    def _drop(self, **_: object) -> None:
        self._dropped += 1

    def _stop(self, **_: object) -> None:
        self._is_stopping = True


def waiting(queues: Sequence[str]) -> Mapping[str, int] | None:
    """None while the broker does not answer; nothing of RabbitMQ, where heartbeats alone must tell."""
    is_redis = settings.BROKER_URL.startswith(("redis:", "rediss:"))
    try:
        return _lengths(queues) if is_redis else _reached()
    except (RedisError, OperationalError, OSError):
        return None


def _lengths(queues: Sequence[str]) -> Mapping[str, int]:
    lengths = redis_at(settings.BROKER_URL).pipeline(transaction=False)
    for queue in queues:
        lengths.llen(queue)
    return dict(zip(queues, lengths.execute(), strict=True))


def _reached() -> Mapping[str, int]:
    with Connection(settings.BROKER_URL, connect_timeout=_CONNECT_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=_CONNECT_SECONDS)
    return {}
