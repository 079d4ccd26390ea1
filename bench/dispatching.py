"""A dispatch from a filled ready table, from the start of the clock to its stop. Needs Django."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from celery import Celery
from django.db import connection

import celery_app
from apps.core.redis import redis_client
from apps.messaging.models import Message
from apps.realtime.stream import stream_of
from bench import one_task_each, streams
from bench.figure import CannotMeasure
from bench.office import Office
from bench.stage import Stage
from bench.workers import Layout, running

LONGEST_SECONDS = 240
_WARM_UP = 500
# Of each message: that it is at the provider, and that it was sent.
_EVENTS_EACH = 2


@dataclass(frozen=True)
class Contest:
    """The same work for either contender: workers that are up and warm, then messages that wait for them."""

    stage: Stage
    office: Office

    def ours(
        self,
        layout: Layout,
        count: int,
        beside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> float:
        """Messages a second, until the last event is on the stream, while something may go on beside it."""
        with self.at_work(layout, count) as dispatch, beside():
            seconds = dispatch(count)
        return self._told("ours", layout, count, seconds)

    @contextmanager
    def at_work(
        self, layout: Layout, most: int, app: Celery = celery_app.app, module: str = "celery_app"
    ) -> Iterator[Callable[..., float]]:
        """Workers that are warm, for batches of up to so many messages; `app` is what `module` holds."""
        self.office.clear()
        self.office.meet(most)
        with running(self.stage, app, module, layout):
            self._dispatch(_WARM_UP)
            yield self._dispatch
        _check_all_were_sent()

    def _dispatch(self, messages: int, traced: float = 0.0) -> float:
        stream = stream_of(self.office.organization.id)
        redis_client().delete(stream)
        # One transaction: nothing is seen of it before all of it is there.
        self.office.queue(messages, traced=traced)
        started = time.time()
        self.office.ring()
        return _finish(stream, messages) - started

    def one_task_each(self, layout: Layout, count: int) -> float:
        self.office.clear()
        self.office.meet(count)
        with running(self.stage, one_task_each.app, "bench.one_task_each", layout):
            for messages in (_WARM_UP, count):
                redis_client().delete(one_task_each.STREAM)
                self.office.queue(messages)
                one_task_each.stage(_waiting())
                started = time.time()
                one_task_each.release()
                seconds = _finish(one_task_each.STREAM, messages) - started
        _check_all_were_sent()
        return self._told("(a)", layout, count, seconds)

    def _told(self, who: str, layout: Layout, count: int, seconds: float) -> float:
        self.stage.tell(f"{who}, {layout.name}: {count / seconds:,.0f}/s")
        return count / seconds


def _waiting() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT message_id::text FROM delivery ORDER BY due_at, message_id")
        return [message_id for (message_id,) in cursor.fetchall()]


def _finish(stream: str, messages: int) -> float:
    """When the last event came to the stream, by Redis' clock, which is this machine's."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while _is_waiting():
        if time.monotonic() > deadline:
            raise CannotMeasure(f"{messages:,} messages were not sent in {LONGEST_SECONDS} s")
        time.sleep(0.1)
    while (seen := _events_on(stream)) < messages * _EVENTS_EACH:
        if time.monotonic() > deadline:
            raise CannotMeasure(f"only {seen:,} events of {messages:,} messages came to the stream")
        time.sleep(0.1)
    return streams.last_moment(stream)


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM delivery)")
        (is_waiting,) = cursor.fetchone()
    return bool(is_waiting)


def _events_on(stream: str) -> int:
    """Each counts once, however often it was published."""
    return len({event["event_id"] for _, events in streams.entries(stream) for event in events})


def _check_all_were_sent() -> None:
    others = Message.across_organizations.exclude(status="sent").count()
    if others:
        raise CannotMeasure(f"{others:,} messages were not sent")
