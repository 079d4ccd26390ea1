"""What beat asks of this app."""

from celery import shared_task

from apps.accounts import expiry


@shared_task(name="accounts.remove_expired")
def remove_expired() -> None:
    expiry.remove_expired()
