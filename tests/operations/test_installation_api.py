"""What superusers do in the admin, for their programs; nobody who speaks for an organization is let in."""

from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks
from kombu.exceptions import OperationalError
from pytest_django import Settings

from apps.accounts import installation_keys, organizations
from apps.accounts.models import AuditEvent, Organization, User
from apps.accounts.principal import actor_of
from apps.core import clock
from apps.operations import workers
from apps.operations.beat import runs
from apps.operations.look import look
from apps.operations.models import TrafficCursor
from tests.accounts.endpoints import INSTALLATION, Endpoint, named
from tests.cast import Api, House, as_member, with_key
from tests.messaging import history

pytestmark = pytest.mark.django_db
CALLS = [(endpoint, method) for endpoint in INSTALLATION for method in endpoint.methods]
TASKS = "/v1/installation/periodic-tasks"
ORGANIZATIONS = "/v1/installation/organizations"
# What changes something: with which body, what the trail says, and where its target is.
CHANGES: dict[str, tuple[Any, str]] = {
    "POST /v1/installation/organizations": ({"name": "Mercado Sol", "slug": "sol"}, "organization.created"),
    "PATCH /v1/installation/organizations/<uuid:organization_id>": ({"name": "Sol"}, "organization.changed"),
    "DELETE /v1/installation/organizations/<uuid:organization_id>": (None, "organization.deleted"),
    "POST /v1/installation/organizations/<uuid:organization_id>/suspend": (
        {"reason": "unpaid"},
        "organization.suspended",
    ),
    "POST /v1/installation/organizations/<uuid:organization_id>/lift": (None, "organization.lifted"),
    "PATCH /v1/installation/users/<uuid:user_id>": ({"is_active": False}, "user.changed"),
    "PATCH /v1/installation/periodic-tasks/<int:task_id>": ({"enabled": False}, "periodic_task.changed"),
    "POST /v1/installation/periodic-tasks/<int:task_id>/run": (None, "periodic_task.started"),
}


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente")


@pytest.fixture
def api(root: User) -> Api:
    return Api(f"Installation-Key {installation_keys.issue(root, name='Terraform')[1]}")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_how: names.append(name))
    return names


@pytest.fixture
def sweep() -> PeriodicTask:
    seconds = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    return PeriodicTask.objects.create(name="sweep", task="messaging.recover", interval=seconds)


def filled(endpoint: Endpoint, house: House, task: PeriodicTask | None = None) -> str:
    target = house.agent.user if "user_id" in endpoint.path else house.organization
    path = endpoint.filled(target.pk)
    return path.replace("/periodic-tasks/1", f"/periodic-tasks/{task.pk}") if task else path


def test_endpoints_are_found() -> None:
    assert len(INSTALLATION) >= 6
    assert all(endpoint.path.startswith("/v1/installation/") for endpoint in INSTALLATION)


@pytest.mark.parametrize(("endpoint", "method"), CALLS, ids=named(CALLS))
def test_only_installation_keys_are_let_in(aurora: House, endpoint: Endpoint, method: str) -> None:
    path = filled(endpoint, aurora)
    assert Api().send(method.upper(), path, {}).status_code == 401
    # Whatever scopes they have, and also where somebody is a superuser besides.
    User.objects.filter(pk=aurora.admin.user.pk).update(is_superuser=True)
    for caller in (as_member(aurora.owner), as_member(aurora.admin), with_key(aurora.organization)):
        answer = caller.send(method.upper(), path, {})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_for_organizations")


@pytest.mark.parametrize(("endpoint", "method"), CALLS, ids=named(CALLS))
def test_every_change_leaves_a_trail(
    api: Api, root: User, aurora: House, sweep: PeriodicTask, sent: list[str], endpoint: Endpoint, method: str
) -> None:
    if method == "get":
        return
    body, action = CHANGES[f"{method.upper()} {endpoint.path}"]
    if endpoint.path.endswith("/lift"):
        organizations.suspend(actor_of(root), aurora.organization, reason="unpaid")
    AuditEvent.across_organizations.all().delete()
    answer = api.send(method.upper(), filled(endpoint, aurora, sweep), body)
    assert answer.status_code < 300, answer.content
    (event,) = AuditEvent.across_organizations.all()
    assert (event.action, event.request_id) == (action, answer["X-Request-Id"])
    assert event.actor_label.startswith("Terraform (ri_")


def test_each_caller_is_counted(api: Api, root: User, settings: Settings) -> None:
    settings.API_BURST, settings.API_RATE_PER_SECOND = 2, 1
    other = Api(f"Installation-Key {installation_keys.issue(root, name='Other')[1]}")
    assert [api.get(TASKS).status_code for _ in range(3)] == [200, 200, 429]
    assert other.get(TASKS).status_code == 200


def test_periodic_tasks_are_told_in_plain_words(api: Api, sweep: PeriodicTask) -> None:
    hour = CrontabSchedule.objects.create(minute="7")
    PeriodicTask.objects.create(name="off", task="files.sweep", crontab=hour, enabled=False)
    off, found = api.get(TASKS).json()["data"]
    assert (off["name"], off["enabled"], off["next_run_at"], off["last_run_at"]) == ("off", False, None, None)
    assert (found["id"], found["does"], found["how_often"]) == (
        sweep.pk, "Looks for messages that were forgotten", "every 10 seconds",
    )  # fmt: skip
    assert (found["last_result"], found["last_error"]) == (None, "")
    runs.note(type("Task", (), {"name": "messaging.recover"}), "FAILURE", ConnectionError("redis://:secret@…"))
    found = api.get(f"{TASKS}/{sweep.pk}").json()
    assert (found["last_result"], found["last_error"]) == ("failed", "ConnectionError")
    assert found["last_run_at"] < found["next_run_at"]
    runs.note(type("Task", (), {"name": "messaging.recover"}), "SUCCESS", None)
    assert api.get(f"{TASKS}/{sweep.pk}").json()["last_result"] == "succeeded"
    for unknown in (0, sweep.pk + 1000, 10**30):
        assert api.get(f"{TASKS}/{unknown}").status_code == 404


def test_list_takes_as_many_statements_whatever_there_is(api: Api, sweep: PeriodicTask) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert api.get(TASKS).status_code == 200
        return len(asked)

    api.get(TASKS)  # notes that the key was used
    few = statements()
    for n in range(3):
        hour = CrontabSchedule.objects.create(minute=str(n))
        PeriodicTask.objects.create(name=f"t{n}", task="files.sweep", crontab=hour)
    assert statements() == few


def test_task_is_switched_off_and_on(api: Api, sweep: PeriodicTask) -> None:
    PeriodicTasks.objects.all().delete()
    answer = api.patch(f"{TASKS}/{sweep.pk}", {"enabled": False})
    assert (answer.status_code, answer.json()["enabled"]) == (200, False)
    sweep.refresh_from_db()
    assert not sweep.enabled
    # By which beat sees that there is something to see.
    assert PeriodicTasks.last_change() is not None
    assert api.patch(f"{TASKS}/{sweep.pk}", {"enabled": False}).status_code == 200
    assert AuditEvent.across_organizations.filter(action="periodic_task.changed").count() == 1
    assert api.patch(f"{TASKS}/{sweep.pk}", {"enabled": True}).json()["enabled"] is True
    for body in ({}, {"enabled": "yes"}, {"enabled": None}, {"task": "x", "enabled": True}):
        assert api.patch(f"{TASKS}/{sweep.pk}", body).status_code == 400


def test_task_is_run_at_once(api: Api, sweep: PeriodicTask, sent: list[str]) -> None:
    answer = api.post(f"{TASKS}/{sweep.pk}/run")
    assert (answer.status_code, answer.json()["id"]) == (202, sweep.pk)
    assert sent == ["messaging.recover"]
    assert api.post(f"{TASKS}/0/run").status_code == 404


def test_run_without_a_broker_is_no_run(api: Api, sweep: PeriodicTask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("redis://:secret@…")

    monkeypatch.setattr(current_app, "send_task", fail)
    answer = api.post(f"{TASKS}/{sweep.pk}/run")
    assert (answer.status_code, answer.json()["code"]) == (503, "broker_away")
    assert "secret" not in answer.content.decode()
    assert not AuditEvent.across_organizations.filter(action="periodic_task.started").exists()


def test_organizations_are_listed_in_pages(api: Api, aurora: House, boreal: House) -> None:
    first = api.get(f"{ORGANIZATIONS}?limit=1").json()
    assert [each["slug"] for each in first["data"]] == ["boreal"]
    second = api.get(first["next"].removeprefix("http://testserver")).json()
    assert [each["slug"] for each in second["data"]] == ["aurora"]
    found = api.get(f"{ORGANIZATIONS}/{aurora.organization.pk}").json()
    assert (found["name"], found["slug"]) == ("Padaria Aurora", "aurora")
    assert api.get(f"{ORGANIZATIONS}/{aurora.owner.pk}").status_code == 404


def test_organization_is_made_once(api: Api) -> None:
    body = {"name": "Mercado Sol", "slug": "mercado-sol"}
    answer = api.post(ORGANIZATIONS, body)
    assert answer.status_code == 201
    made = Organization.objects.get(pk=answer.json()["id"])
    assert (made.name, made.slug) == ("Mercado Sol", "mercado-sol")
    (event,) = AuditEvent.across_organizations.filter(action="organization.created")
    assert event.organization == made
    answer = api.post(ORGANIZATIONS, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")
    assert Organization.objects.count() == 1


def test_organization_is_limited_suspended_and_removed(api: Api, aurora: House, boreal: House) -> None:
    one = f"{ORGANIZATIONS}/{aurora.organization.pk}"
    found = api.patch(one, {"monthly_quota": 5, "message_retention_days": 30, "slug": "sol"}).json()
    assert (found["monthly_quota"], found["message_retention_days"], found["slug"]) == (5, 30, "sol")
    assert api.patch(one, {"monthly_quota": None}).json()["monthly_quota"] is None
    taken = api.patch(one, {"slug": "boreal"})
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")
    for wrong in ({"monthly_quota": 0}, {"slug": "No"}, {"suspended": True}, {"message_retention_days": 0}):
        assert api.patch(one, wrong).status_code == 400
    suspended = api.post(f"{one}/suspend", {"reason": "unpaid"})
    assert suspended.json()["suspended"]["reason"] == "unpaid"
    writing = as_member(aurora.owner).post("/v1/labels", {"name": "Entrega"})
    assert (writing.status_code, writing.json()["code"]) == (403, "organization_suspended")
    assert as_member(aurora.owner).get("/v1/messages").status_code == 200
    again = api.post(f"{one}/suspend", {"reason": "unpaid"})
    assert (again.status_code, again.json()["code"]) == (409, "already_suspended")
    assert api.post(f"{one}/lift").json()["suspended"] is None
    history.dead(boreal)
    theirs = api.send("DELETE", f"{ORGANIZATIONS}/{boreal.organization.pk}", None)
    assert (theirs.status_code, theirs.json()["code"]) == (409, "organization_has_data")
    assert api.send("DELETE", one, None).status_code == 204
    assert list(Organization.objects.all()) == [boreal.organization]


def test_people_are_shut_out_at_once(api: Api, root: User, aurora: House) -> None:
    caller = as_member(aurora.agent)
    assert caller.get("/v1/me").status_code == 200
    found = api.patch(f"/v1/installation/users/{aurora.agent.user.pk}", {"is_active": False}).json()
    assert (found["email"], found["is_active"]) == ("agent@aurora.example", False)
    assert caller.get("/v1/me").status_code == 401
    last = api.patch(f"/v1/installation/users/{root.pk}", {"is_active": False})
    assert (last.status_code, last.json()["code"]) == (409, "last_superuser")
    assert len(api.get("/v1/installation/users?limit=2").json()["data"]) == 2
    assert api.patch(f"/v1/installation/users/{aurora.agent.user.pk}", {"is_superuser": True}).status_code == 400


@pytest.mark.parametrize("slug", ["Sol", "", "sol sol", "sol_", "-sol", "x" * 61, "ação", 5, None])
def test_short_name_that_is_none_is_refused(api: Api, slug: Any) -> None:
    answer = api.post(ORGANIZATIONS, {"name": "Mercado Sol", "slug": slug})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/slug"


def test_overview_is_that_of_the_whole_installation(
    api: Api, aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_said_at", 0.0)
    for house in (aurora, boreal):
        history.dead(house)
    look()
    found = api.get("/v1/installation/overview?period=day").json()
    assert found["dead_letters"] == {"message_rejected": 2}
    assert len(found["accounts"]) == 2
    assert (found["workers"], found["beat_ran_at"], len(found["points"])) == ([], None, 24)
    moment = clock.now()
    TrafficCursor.objects.create(pk=1, transaction="0", event_id=0, counted_at=moment)
    workers.say_alive(type("Worker", (), {"hostname": "dispatch@one"}))
    found = api.get("/v1/installation/overview").json()
    assert found["workers"] == ["dispatch@one"]
    assert found["beat_ran_at"][:19] == moment.isoformat()[:19]
    assert api.get("/v1/installation/overview?period=year").status_code == 400
