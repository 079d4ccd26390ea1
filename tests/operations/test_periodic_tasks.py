"""What beat has done, in plain words, how it ended, and at once where somebody asks for it."""

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from kombu.exceptions import OperationalError
from pytest_django import Settings

from apps.accounts.models import AuditEvent, User
from apps.core import clock
from apps.core.redis import redis_client
from apps.operations.beat import runs, words
from celery_app import SCHEDULE
from tests.cast import House
from tests.live.test_views import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def client() -> Client:
    return browser_of(User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente"))


@pytest.fixture
def sweep() -> PeriodicTask:
    seconds = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    return PeriodicTask.objects.create(name="sweep", task="messaging.recover", interval=seconds)


def ended(name: str, state: str = "SUCCESS", retval: object = None) -> None:
    runs.note(type("Task", (), {"name": name}), state, retval)


def listed(client: Client) -> str:
    answer = client.get("/admin/django_celery_beat/periodictask/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def run_now(task: PeriodicTask) -> str:
    return reverse("admin:django_celery_beat_periodictask_run_now", args=[task.pk])


def test_whatever_is_on_the_schedule_has_words() -> None:
    assert {str(each["task"]) for each in SCHEDULE.values()} == set(words.DOES)


@pytest.mark.parametrize(
    ("every", "period", "said"),
    [(1, "seconds", "every second"), (10, "seconds", "every 10 seconds"), (60, "seconds", "every minute"),
     (1, "hours", "every hour"), (2, "days", "every 2 days")],
)  # fmt: skip
def test_interval_is_said_in_words(every: int, period: str, said: str) -> None:
    task = PeriodicTask(interval=IntervalSchedule(every=every, period=period))
    assert words.how_often(task) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [({"minute": "7"}, "every hour, at minute 7"), ({"minute": "5", "hour": "3"}, "every day at 03:05 (UTC)")],
)
def test_hour_is_said_in_words(given: dict[str, Any], said: str) -> None:
    assert words.how_often(PeriodicTask(crontab=CrontabSchedule(**given))) == said
    assert words.how_often(PeriodicTask(crontab=CrontabSchedule(minute="*/5"))) != "–"


def test_next_run_follows_the_last_one(sweep: PeriodicTask) -> None:
    first = words.next_run(sweep, None)
    assert first is not None
    assert first - clock.now() <= timedelta(seconds=10)
    soon = words.next_run(sweep, clock.now())
    assert soon is not None
    assert timedelta(seconds=5) < soon - clock.now() <= timedelta(seconds=10)
    late = words.next_run(sweep, clock.now() - timedelta(hours=1))
    assert late is not None
    assert abs(late - clock.now()) < timedelta(seconds=2)
    sweep.enabled = False
    assert words.next_run(sweep, clock.now()) is None


def test_list_tells_what_each_does_and_how_it_ended(client: Client, sweep: PeriodicTask) -> None:
    text = listed(client)
    assert "Looks for messages that were forgotten" in text
    assert "every 10 seconds" in text
    ended("messaging.recover")
    assert "went well" in listed(client)
    ended("messaging.recover", "FAILURE", ConnectionError("redis://:secret@…"))
    text = listed(client)
    assert "ConnectionError" in text
    assert "secret" not in text


def test_only_what_beat_starts_is_noted_down() -> None:
    ended("messaging.drain")
    ended("messaging.recover")
    assert list(runs.last()) == ["messaging.recover"]
    assert redis_client().hlen(runs.KEY) == 1


def test_task_is_run_at_once_after_asking(
    client: Client, sweep: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **how: sent.append((name, how)))
    assert "Run now" in client.get(run_now(sweep)).content.decode()
    assert sent == []
    assert client.post(run_now(sweep)).status_code == 302
    assert sent == [("messaging.recover", {"args": [], "kwargs": {}, "queue": None})]
    assert client.get(run_now(sweep).replace(f"/{sweep.pk}/", "/0/")).status_code == 404


def test_members_of_organizations_see_no_beat(aurora: House, sweep: PeriodicTask) -> None:
    client = browser_of(aurora.owner.user)
    assert client.get("/admin/django_celery_beat/periodictask/").status_code == 403
    assert client.post(run_now(sweep)).status_code == 403


def test_row_of_the_list_offers_to_run_now(client: Client, sweep: PeriodicTask) -> None:
    text = listed(client)
    assert f'href="{run_now(sweep)}"' in text
    # Where a telephone shows no heads of columns.
    assert '<span class="periodic-label">Next run:</span>' in text
    assert "operations/periodic.css" in text


def test_run_leaves_a_trail_and_says_where_no_broker_is(
    client: Client, sweep: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(current_app, "send_task", fail)
    answer = client.post(run_now(sweep), follow=True)
    assert "The broker cannot be reached" in answer.content.decode()
    events = AuditEvent.across_organizations.filter(action="periodic_task.started")
    assert not events.exists()
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    client.post(run_now(sweep))
    assert events.get().actor_label == "root@recado.example"


def test_empty_list_says_what_to_do(client: Client, sweep: PeriodicTask) -> None:
    address = "/admin/django_celery_beat/periodictask/"
    assert "in this state" in client.get(f"{address}?enabled__exact=0").content.decode()
    PeriodicTask.objects.all().delete()
    assert "Start beat" in client.get(address).content.decode()
