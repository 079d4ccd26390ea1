"""A queue that nobody consumes loses no message, but nobody would notice that it stands still."""

from fnmatch import fnmatchcase

import orjson
import pytest
import structlog
from celery import Celery

import celery_app
from apps.accounts.tasks import remove_expired
from apps.core.redis import redis_client
from celery_app import QUEUES, ROUTES, SCHEDULE, app, broker_settings
from local.demo import application
from local.places import Places


def test_every_route_leads_to_a_declared_queue() -> None:
    assert {route["queue"] for route in ROUTES.values()} <= set(QUEUES)
    assert app.conf.task_default_queue in QUEUES


def test_every_task_of_ours_has_a_route() -> None:
    app.loader.import_default_modules()
    ours = [name for name in app.tasks if not name.startswith("celery.")]
    assert ours
    for name in ours:
        assert any(fnmatchcase(name, pattern) for pattern in ROUTES), f"{name} has no route"


def test_everything_on_the_schedule_is_a_task() -> None:
    app.loader.import_default_modules()
    assert [entry["task"] for entry in SCHEDULE.values() if entry["task"] not in app.tasks] == []


def test_misspelt_queue_fails_where_it_is_named() -> None:
    with pytest.raises(Exception, match="nowhere"):
        app.amqp.router.route({"queue": "nowhere"}, "accounts.remove_expired")


def test_demo_has_a_worker_for_every_queue() -> None:
    workers = [process for process in application(Places.from_environment(), {}) if "worker" in process.command]
    consumed = [process.command[process.command.index("--queues") + 1] for process in workers]
    assert sorted(",".join(map(str, consumed)).split(",")) == sorted(QUEUES)
    assert set(app.amqp.queues) == set(QUEUES)


def test_rabbitmq_gets_quorum_queues_and_confirms() -> None:
    conf = broker_settings("amqps://user@rabbit//")
    assert {queue.name for queue in conf["task_queues"]} == set(QUEUES)
    assert all(queue.queue_arguments == {"x-queue-type": "quorum"} for queue in conf["task_queues"])
    assert conf["broker_transport_options"]["confirm_publish"]


def test_redis_delivers_no_task_again_while_it_may_still_run() -> None:
    timeout = broker_settings("redis://")["broker_transport_options"]["visibility_timeout"]
    assert timeout > celery_app.TASK_SECONDS


def test_task_carries_the_ids_of_the_request_that_asked_for_it() -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1", organization_id="o-1"):
        remove_expired.delay()
    (message,) = redis_client().lrange("maintenance", 0, -1)
    context = orjson.loads(message)["headers"]["__django_structlog__"]
    assert (context["request_id"], context["organization_id"]) == ("r-1", "o-1")


def test_worker_takes_one_task_at_a_time_and_keeps_no_results() -> None:
    assert isinstance(app, Celery)
    conf = app.conf
    assert conf.worker_disable_prefetch
    assert conf.task_ignore_result
    assert conf.accept_content == ["json"]
    assert conf.task_track_started
    assert conf.worker_send_task_events
