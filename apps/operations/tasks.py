"""What Celery runs for operators: one call each."""

from celery import shared_task

from apps.operations import look, quotas
from apps.operations.traffic import count, forget


@shared_task(name="operations.count_traffic")
def count_traffic() -> int:
    return count.count_new()


@shared_task(name="operations.look")
def look_around() -> int:
    return look.look()


@shared_task(name="operations.watch_quotas")
def watch_quotas() -> int:
    return quotas.look()


@shared_task(name="operations.forget_traffic")
def forget_traffic() -> int:
    return forget.forget_old()
