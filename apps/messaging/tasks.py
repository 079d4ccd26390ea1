"""What Celery runs for messaging: ids in, one call."""

from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.signals import worker_init, worker_ready, worker_shutting_down

from apps.messaging import retention
from apps.messaging.dead_letters import step
from apps.messaging.engine import alarm_clock, deliver, fetch_media, loop, publisher, receive, recover

_clock: alarm_clock.AlarmClock | None = None


@shared_task(name="messaging.drain", bind=True)
def drain(self: "Task[Any, Any]", account_id: str, slot: int = 0) -> dict[str, Any]:
    task, ringer = self.request.id or "", self.request.get("traceparent")
    return loop.process_loop().run(lambda own: deliver.drain(own, UUID(account_id), slot, task, ringer))


@shared_task(name="messaging.receive")
def receive_callbacks(lane: int) -> int:
    return receive.receive(lane)


@shared_task(name="messaging.fetch_media")
def fetch_what_was_sent(message_id: str) -> None:
    loop.process_loop().run(lambda own: fetch_media.fetch(own, UUID(message_id)))


@shared_task(name="messaging.forget_seen_callbacks")
def forget_seen_callbacks() -> int:
    return receive.forget_seen()


@shared_task(name="messaging.delete_old")
def delete_old_messages() -> int:
    return retention.delete_old()


@shared_task(name="messaging.recover")
def recover_all() -> dict[str, int]:
    return recover.recover()


@shared_task(name="messaging.clear_dead_letters")
def clear_dead_letters() -> int:
    return step.go_on()


@worker_init.connect
def publish_what_is_written(**_kwargs: Any) -> None:
    publisher.enable()


@worker_ready.connect
def start_alarm_clock(**_kwargs: Any) -> None:
    global _clock  # noqa: PLW0603 - one clock a worker is the point
    _clock = alarm_clock.AlarmClock()
    _clock.start()


@worker_shutting_down.connect
def stop_alarm_clock(**_kwargs: Any) -> None:
    if _clock is not None:
        _clock.stop()
