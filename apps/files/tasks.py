"""What workers do about files. Ids in, one call."""

from uuid import UUID

from celery import shared_task

from apps.files import sweep as sweeping
from apps.files import thumbnails
from apps.files import verify as verifying


@shared_task(name="files.verify")
def verify(upload_id: str) -> None:
    verifying.verify(UUID(upload_id))


@shared_task(name="files.make_thumbnail")
def make_thumbnail(file_id: str) -> None:
    thumbnails.make_thumbnail(UUID(file_id))


@shared_task(name="files.sweep")
def sweep() -> None:
    sweeping.sweep()


@shared_task(name="files.ring_forgotten")
def ring_forgotten() -> None:
    sweeping.ring_forgotten()
