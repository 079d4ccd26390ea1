"""What workers do about registrations. Ids in, one call."""

from uuid import UUID

from celery import shared_task

from apps.messaging.engine.loop import process_loop
from apps.registration import forgetting
from apps.registration.applying import apply
from apps.registration.bell import BELL
from apps.registration.conversation import converse, silence


@shared_task(name="registration.converse")
def hear(slot: int = 0) -> dict[str, int]:
    return process_loop().run(lambda own: converse.converse(own, slot))


@shared_task(name="registration.apply")
def apply_confirmed(registration_id: str) -> bool:
    return apply.apply(UUID(registration_id))


@shared_task(name="registration.forget")
def forget() -> dict[str, int]:
    return forgetting.forget()


@shared_task(name="registration.recover")
def recover() -> None:
    """What no bell rang for, and who has been silent."""
    BELL.ring_forgotten()
    apply.ring_forgotten()
    apply.tell_late()
    silence.look()
