"""The Celery application: which queues there are, and what Recado asks of a broker.

A task carries ids, never the only copy of anything: Redis may lose it, and PostgreSQL knows what is due.
"""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_init, worker_process_init, worker_process_shutdown
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu import Queue
from kombu.transport.redis import Channel as RedisChannel

from apps.channels.registry import NAMES, queue_of
from apps.core import tracing
from apps.core.collector import spare_what_is_loaded
from apps.operations.side_door import SideDoor

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.production")

# The one list of queues. `workers` in a deployment must between them consume all of it; a test checks that.
MAINTENANCE = "maintenance"
# What must not wait behind a drain: events to publish, callbacks to work on, the sweep.
EVENTS = "events"
# Calls to the endpoints of applications, which may take their time.
CALLBACKS = "callbacks"
# Reading gigabytes once more, making thumbnails, fetching what people sent.
FILES = "files"
# People who register wait for an answer, and a model may take its time.
REGISTRATION = "registration"
DISPATCH = tuple(queue_of(connector) for connector in NAMES)
QUEUES = (MAINTENANCE, EVENTS, CALLBACKS, FILES, REGISTRATION, *DISPATCH)
TASK_SECONDS = 30 * 60

ROUTES = {
    "accounts.*": {"queue": MAINTENANCE},
    # As long as reading gigabytes, and no message waits behind it.
    "billing.import_invoices": {"queue": FILES},
    "billing.ring_forgotten_imports": {"queue": MAINTENANCE},
    "billing.plan": {"queue": MAINTENANCE},
    "files.sweep": {"queue": MAINTENANCE},
    "files.ring_forgotten": {"queue": MAINTENANCE},
    "files.*": {"queue": FILES},
    # Whoever starts a drain names the queue of its channel.
    "messaging.drain": {"queue": DISPATCH[0]},
    "messaging.fetch_media": {"queue": FILES},
    "messaging.delete_old": {"queue": MAINTENANCE},
    "messaging.*": {"queue": EVENTS},
    "callbacks.send_notices": {"queue": MAINTENANCE},
    "callbacks.remove_old": {"queue": MAINTENANCE},
    "callbacks.*": {"queue": CALLBACKS},
    "registration.forget": {"queue": MAINTENANCE},
    "registration.recover": {"queue": MAINTENANCE},
    "registration.*": {"queue": REGISTRATION},
    "operations.*": {"queue": MAINTENANCE},
}

SCHEDULE = {
    "accounts: remove what has expired": {
        "task": "accounts.remove_expired",
        "schedule": crontab(minute="17"),
        # A run that waited longer than this is not worth doing: the next one does it.
        "options": {"expires": 30 * 60},
    },
    "messaging: forget old callbacks": {
        "task": "messaging.forget_seen_callbacks",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "messaging: delete what is kept no longer": {
        "task": "messaging.delete_old",
        "schedule": crontab(hour="4-7", minute="7"),
        "options": {"expires": 60 * 60},
    },
    # The workers' own clocks do this too: without beat nothing is lost.
    "messaging: look for what was forgotten": {
        "task": "messaging.recover",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "messaging: go on with the clearings of dead letters": {
        "task": "messaging.clear_dead_letters",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "callbacks: look for what was forgotten, and for second attempts": {
        "task": "callbacks.recover",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "files: look for what was forgotten": {
        "task": "files.ring_forgotten",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "files: remove what was given up and what nothing refers to": {
        "task": "files.sweep",
        "schedule": crontab(minute="7"),
        "options": {"expires": 30 * 60},
    },
    "billing: remind of what is due": {
        "task": "billing.plan",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "billing: look for imports that nobody reads on": {
        "task": "billing.ring_forgotten_imports",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "registration: look for what was forgotten, and who is silent": {
        "task": "registration.recover",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "registration: forget what is not to be kept": {
        "task": "registration.forget",
        "schedule": crontab(minute="47"),
        "options": {"expires": 30 * 60},
    },
    "operations: add up what happened": {
        "task": "operations.count_traffic",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "operations: look how much waits": {
        "task": "operations.look",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "operations: look whether quotas are used up": {
        "task": "operations.watch_quotas",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "operations: forget old minutes and hours": {
        "task": "operations.forget_traffic",
        "schedule": crontab(minute="57"),
        "options": {"expires": 30 * 60},
    },
    "callbacks: remove what is old": {
        "task": "callbacks.remove_old",
        "schedule": crontab(minute="37"),
        "options": {"expires": 30 * 60},
    },
}
# Sentry counts in minutes.
TOO_OFTEN_TO_WATCH = tuple(
    name for name, entry in SCHEDULE.items() if isinstance(entry["schedule"], float) and entry["schedule"] < 60
)


def broker_settings(url: str) -> dict[str, Any]:
    """What the chosen broker needs in order not to lose tasks needlessly."""
    if url.startswith(("amqp:", "amqps:")):
        return {
            "task_queues": [Queue(name, queue_arguments={"x-queue-type": "quorum"}) for name in QUEUES],
            "worker_detect_quorum_queues": True,
            "broker_transport_options": {"confirm_publish": True},
        }
    return {
        "task_queues": [Queue(name) for name in QUEUES],
        # A task waits in its queue, where any worker may take it, and not in one that is busy.
        "worker_disable_prefetch": True,
        "broker_transport_options": {
            # Longer than any task may run, so that none is delivered twice while it is still running.
            "visibility_timeout": 2 * TASK_SECONDS,
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 30,
        },
    }


# Where the connection to Redis is lost, kombu would put back over it what was taken, and the worker ends of that.
RedisChannel.do_restore = False

app = Celery("recado", broker=settings.BROKER_URL)
app.conf.update(
    broker_settings(settings.BROKER_URL),
    task_default_queue=MAINTENANCE,
    task_routes=ROUTES,
    # A misspelt queue fails where it is named; a queue that nobody consumes would fail nowhere.
    task_create_missing_queues=False,
    # What a task did is in the database; nobody reads results.
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    result_backend=None,
    # Nor has beat any to clean up.
    result_expires=None,
    accept_content=["json"],
    task_serializer="json",
    # Acknowledged when it starts: what a dead worker left undone is found in the database, not in the broker.
    task_acks_late=False,
    task_time_limit=TASK_SECONDS,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1},
    # What a worker is doing does not depend on the broker, so it goes on while the broker is away.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=8,
    worker_enable_soft_shutdown_on_idle=False,
    worker_max_tasks_per_child=10_000,
    broker_connection_retry_on_startup=True,
    # What Flower shows
    task_track_started=True,
    worker_send_task_events=True,
    worker_redirect_stdouts=False,
    beat_scheduler="apps.operations.beat.one_at_work:OneAtWork",
    beat_schedule=SCHEDULE,
    timezone="UTC",
)
# In every thread, the web process's too.
app.set_default()
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["worker"].add(SideDoor)
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Celery configures no logging where somebody listens here; Django's LOGGING stays in force."""


_name = "worker"


@worker_init.connect
def remember_our_name(sender: Any, **_kwargs: Any) -> None:
    """Of `worker-sms@host` what stands before the host: the same in every replica."""
    global _name  # noqa: PLW0603 - of the process, and of those it forks
    _name = str(sender).partition("@")[0] or _name


@worker_process_init.connect
def trace_from_here(**_kwargs: Any) -> None:
    tracing.begin(_name)


@worker_process_shutdown.connect
def export_what_is_left(**_kwargs: Any) -> None:
    tracing.end()


@worker_process_init.connect
def spare_what_workers_loaded(**_kwargs: Any) -> None:
    spare_what_is_loaded()
