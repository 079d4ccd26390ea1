"""What Celery runs for webhooks: one call each."""

from celery import shared_task

from apps.callbacks.engine import deliver, expiry, notice, recover
from apps.messaging.engine.loop import process_loop


@shared_task(name="callbacks.deliver")
def deliver_due(slot: int = 0) -> dict[str, int]:
    return process_loop().run(lambda own: deliver.deliver(own, slot))


@shared_task(name="callbacks.recover")
def recover_all() -> None:
    recover.recover()
    if notice.due().exists():
        send_notices.delay()


@shared_task(name="callbacks.send_notices")
def send_notices() -> int:
    return notice.send_due()


@shared_task(name="callbacks.remove_old")
def remove_old() -> int:
    return expiry.remove_old()
