"""Switch what beat has done on and off, and have it done at once: for the admin and the API alike."""

import orjson
from celery import current_app
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError

from apps.accounts import audit
from apps.accounts.principal import Actor
from apps.core.api.problems import Problem


class BrokerAway(Problem):
    status_code = 503
    default_code = "broker_away"
    default_detail = _("The broker cannot be reached, so no worker was told. Try again.")


@transaction.atomic
def run_now(actor: Actor, task: PeriodicTask) -> None:
    """Once, besides when it is due."""
    audit.record(actor, "periodic_task.started", task, organization=None)
    try:
        current_app.send_task(
            task.task, args=orjson.loads(task.args), kwargs=orjson.loads(task.kwargs), queue=task.queue or None
        )
    except (OperationalError, OSError) as error:
        raise BrokerAway(wait=5) from error


@transaction.atomic
def switch(actor: Actor, task: PeriodicTask, *, enabled: bool) -> None:
    """From beat's next look on, a few seconds later."""
    if task.enabled == enabled:
        return
    task.enabled = enabled
    # Whole: the package keeps beat informed in its save().
    task.save()
    audit.record(
        actor, "periodic_task.changed", task, organization=None, changes={"enabled": (not enabled, enabled)}
    )
