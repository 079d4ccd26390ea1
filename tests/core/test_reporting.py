"""What is reported to Sentry: where it broke, never of whom. In processes of their own, for its SDK stays."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from celery_app import SCHEDULE, TOO_OFTEN_TO_WATCH
from tests.core.fake_sentry import FakeSentry, run_sentry

SECRETS = ("rk_abcdefgh1234_the-rest-of-a-key", "Oi Ana, o seu exame", "+5511912345601", "ana@example.com")


@pytest.fixture
def sentry() -> Iterator[FakeSentry]:
    with run_sentry() as sentry:
        yield sentry


def run(sentry: FakeSentry, code: str) -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings.test",
        "SENTRY_DSN": sentry.dsn,
        "SENTRY_ENVIRONMENT": "rehearsal",
        "RELEASE": "1.2.3",
    }
    setting_up = "import django; django.setup()\nimport sentry_sdk\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{setting_up}{code}\nsentry_sdk.flush(5)\n"],
        env=environment, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_exception_in_a_request_arrives_without_a_word_of_it(sentry: FakeSentry) -> None:
    run(
        sentry,
        f"""
from django.test import Client
from django.urls import path
import apps.accounts.api.urls, project.urls

def view(request):
    key, text = {SECRETS[:2]!r}
    to = {SECRETS[2]!r}
    raise ValueError(f"could not send {{text!r}} to {{to}} with {{key}}")

project.urls.urlpatterns.insert(0, path("v1/broken", view))
client = Client(raise_request_exception=False)
sent = {{"Authorization": "Api-Key " + {SECRETS[0]!r}, "Cookie": "chosen=abcdefghijkl"}}
answer = client.post("/v1/broken?to=ana@example.com", {{"text": {SECRETS[1]!r}}},
                     content_type="application/json", headers=sent)
assert answer.status_code == 500, answer
""",
    )
    (event,) = sentry.of("event")
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "[hidden]")
    assert error["stacktrace"]["frames"][-1]["function"] == "view"
    assert (event["release"], event["environment"]) == ("1.2.3", "rehearsal")
    assert event["tags"]["request_id"]
    assert not {"request", "user", "extra", "modules"} & event.keys()
    assert [word for word in (*SECRETS, "abcdefghijkl") if word in sentry.text] == []
    assert {kind for kind, _ in sentry.items} == {"event"}


def test_line_of_an_error_arrives_with_its_ids_and_without_secrets(sentry: FakeSentry) -> None:
    run(
        sentry,
        f"""
import structlog
logger = structlog.get_logger("apps.somewhere")
logger.info("nothing")
logger.warning("on_the_way", text={SECRETS[1]!r})
try:
    raise ConnectionRefusedError("redis://:secret-word@cache:6379 refused")
except OSError:
    logger.exception("it_failed", message_id="0199f3a2", body={SECRETS[1]!r}, token={SECRETS[0]!r})
""",
    )
    (event,) = sentry.of("event")
    assert event["logentry"]["message"] == "it_failed"
    assert event["extra"] == {"message_id": "0199f3a2", "body": "[hidden]", "token": "[hidden]"}
    assert event["exception"]["values"][0]["value"] == "redis://:[hidden]@cache:6379 refused"
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["on_the_way"]
    assert [word for word in (*SECRETS, "secret-word") if word in sentry.text] == []


def test_task_that_fails_is_reported_once_and_without_its_arguments(sentry: FakeSentry) -> None:
    run(
        sentry,
        f"""
from celery_app import app

@app.task(name="accounts.broken")
def broken(text):
    raise RuntimeError(text)

broken.apply(args=[{SECRETS[1]!r}])
""",
    )
    (event,) = sentry.of("event")
    assert event["exception"]["values"][0]["type"] == "RuntimeError"
    assert SECRETS[1] not in sentry.text


def test_beat_tells_of_the_tasks_that_sentry_can_watch(sentry: FakeSentry) -> None:
    """As it starts them, by its own scheduler; and whoever runs one tells how it ended."""
    run(
        sentry,
        """
from celery.beat import ScheduleEntry
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry
from celery_app import app, SCHEDULE

assert DatabaseScheduler.apply_entry.__name__ == "sentry_patched_scheduler"
sent = []
scheduler = DatabaseScheduler.__new__(DatabaseScheduler)
scheduler.app = app
scheduler.apply_async = lambda entry, **_: sent.append(entry.options.get("headers"))
from celery.schedules import maybe_schedule
for name, told in SCHEDULE.items():
    entry = ScheduleEntry(name, told["task"], schedule=maybe_schedule(told["schedule"]), app=app,
                          options=dict(told["options"]))
    DatabaseScheduler.apply_entry(scheduler, entry)

@app.task(name="accounts.watched")
def watched():
    return 1

headers = next(each for each in sent if each)
watched.apply(headers=headers)
""",
    )
    begun = [each for each in sentry.of("check_in") if each["status"] == "in_progress"]
    assert {each["monitor_slug"] for each in begun} == SCHEDULE.keys() - set(TOO_OFTEN_TO_WATCH)
    assert "messaging: look for what was forgotten" in TOO_OFTEN_TO_WATCH
    hourly = next(each for each in begun if each["monitor_slug"].startswith("accounts"))
    assert hourly["monitor_config"]["schedule"] == {"type": "crontab", "value": "17 * * * *"}
    (ended,) = [each for each in sentry.of("check_in") if each["status"] == "ok"]
    assert ended["check_in_id"] in {each["check_in_id"] for each in begun}
