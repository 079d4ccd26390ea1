"""An organization that is suspended: it may read, and change nothing, until whoever suspended it lifts that."""

import pytest

from apps.accounts import organizations
from apps.accounts.models import AuditEvent, Organization, User
from apps.accounts.principal import Actor, actor_of
from apps.accounts.roles import Scope
from tests.accounts.endpoints import CALLS, Endpoint, named
from tests.cast import PASSWORD, Api, House, as_member, with_key

pytestmark = pytest.mark.django_db
WRITING = [
    (endpoint, method)
    for endpoint, method in CALLS
    if (scope := endpoint.view.scopes.get(method.upper())) is not None and scope.is_writing
]
NOWHERE = "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"


@pytest.fixture
def root(db: None) -> Actor:
    return actor_of(User.objects.create_superuser("root@recado.example", PASSWORD))


def suspend(house: House, root: Actor) -> Organization:
    return organizations.suspend(root, house.organization, reason="the bill of March is not paid")


def trail(house: House, action: str) -> AuditEvent:
    return AuditEvent.objects.for_organization(house.organization).get(action=action)


@pytest.mark.parametrize(("endpoint", "method"), WRITING, ids=named(WRITING))
def test_nothing_is_changed(aurora: House, root: Actor, endpoint: Endpoint, method: str) -> None:
    suspend(aurora, root)
    for api in (as_member(aurora.owner), with_key(aurora.organization)):
        answer = api.send(method.upper(), endpoint.filled(NOWHERE), {})
        assert (answer.status_code, answer.json()["code"]) == (403, "organization_suspended")
        assert "the bill of March is not paid" in answer.json()["detail"]


def test_what_there_is_can_be_read(aurora: House, root: Actor) -> None:
    suspend(aurora, root)
    for path in (
        "/v1/me",
        "/v1/organization",
        "/v1/organization/use",
        "/v1/members",
        "/v1/messages",
        "/v1/overview",
    ):
        assert as_member(aurora.viewer).get(path).status_code == 200


def test_who_never_may_is_told_so(aurora: House, root: Actor) -> None:
    suspend(aurora, root)
    answer = as_member(aurora.viewer).post("/v1/messages", {})
    assert answer.json()["code"] == "missing_scope"


def test_api_says_so_and_others_go_on(owner: Api, aurora: House, boreal: House, root: Actor) -> None:
    assert owner.get("/v1/organization").json()["suspended"] is None
    at = suspend(aurora, root).suspended_at
    assert at is not None
    told = owner.get("/v1/organization").json()["suspended"]
    assert told == {"at": at.isoformat().replace("+00:00", "Z"), "reason": "the bill of March is not paid"}
    assert as_member(boreal.owner).patch("/v1/organization", {"name": "Boreal & Filhas"}).status_code == 200
    assert owner.patch("/v1/organization", {"name": "x"}).status_code == 403
    organizations.lift(root, aurora.organization)
    assert owner.patch("/v1/organization", {"name": "x"}).json()["suspended"] is None


def test_it_is_in_the_trail(aurora: House, root: Actor) -> None:
    suspend(aurora, root)
    told = trail(aurora, "organization.suspended")
    assert (told.actor_id, told.changes["suspend_reason"]) == (root.id, ["", "the bill of March is not paid"])
    with pytest.raises(organizations.AlreadySuspended):
        suspend(aurora, root)
    organizations.lift(root, aurora.organization)
    assert trail(aurora, "organization.lifted").changes["suspend_reason"][1] == ""
    with pytest.raises(organizations.NotSuspended):
        organizations.lift(root, aurora.organization)
    organizations.set_quota(root, aurora.organization, 1000)
    assert trail(aurora, "organization.quota_changed").changes == {"monthly_quota": [None, 1000]}


def test_its_own_people_change_no_more_than_is_theirs(aurora: House) -> None:
    with pytest.raises(TypeError, match="monthly_quota"):
        organizations.change(aurora.principal(), monthly_quota=10)
    answer = as_member(aurora.owner).patch("/v1/organization", {"monthly_quota": 10})
    assert answer.json()["errors"][0]["code"] == "unknown_field"


@pytest.mark.parametrize(("days", "code"), [(0, "min_value"), (3651, "max_value"), ("30", "wrong_type")])
def test_retention_is_within_bounds(owner: Api, days: object, code: str) -> None:
    answer = owner.patch("/v1/organization", {"message_retention_days": days})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_retention_is_changed_and_told(owner: Api, aurora: House) -> None:
    answer = owner.patch("/v1/organization", {"message_retention_days": 30})
    assert answer.json()["message_retention_days"] == 30
    assert trail(aurora, "organization.changed").changes == {"message_retention_days": [None, 30]}
    assert (
        owner.patch("/v1/organization", {"message_retention_days": None}).json()["message_retention_days"] is None
    )
    assert owner.get("/v1/organization").json()["name"] == "Padaria Aurora"
    reading = with_key(aurora.organization, Scope.ORGANIZATION_READ)
    assert reading.patch("/v1/organization", {"message_retention_days": 1}).status_code == 403
