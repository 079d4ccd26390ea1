"""Rules for every endpoint there is and will be: the list is read from the URLs, so it grows by itself."""

from uuid import UUID

import pytest

from apps.accounts.models import AuditEvent
from apps.accounts.roles import Scope
from tests.accounts.changes import BEFORE, CHANGES
from tests.accounts.endpoints import ALL, CALLS, NAMING, NAMING_CALLS, Endpoint, named
from tests.accounts.somebody_elses import SOMEBODY_ELSES, kind_of
from tests.cast import Api, House, as_member, with_key

pytestmark = pytest.mark.django_db
NOBODYS = UUID(int=0)

# They are open to everybody, or answer whoever is known about themselves.
WITHOUT_SCOPE = {"/v1/auth/token", "/v1/auth/refresh", "/v1/auth/logout", "/v1/me"}
# They ask for no credentials: they are where one gets them.
OPEN = {"/v1/auth/token", "/v1/auth/refresh"}
# They create nothing that a repetition would create twice.
REPEATABLE = {
    *OPEN,
    "/v1/auth/logout",
    "/v1/channel-accounts/<uuid:account_id>/pause",
    "/v1/channel-accounts/<uuid:account_id>/drain",
    "/v1/channel-accounts/<uuid:account_id>/resume",
    "/v1/channel-accounts/<uuid:account_id>/verify",
    "/v1/channel-accounts/<uuid:account_id>/connect",
    "/v1/channel-accounts/<uuid:account_id>/check-callback",
    "/v1/templates/<uuid:template_id>/versions/<int:number>/publish",
    "/v1/templates/<uuid:template_id>/versions/<int:number>/preview",
    "/v1/messages/<uuid:message_id>/cancel",
    "/v1/conversations/<uuid:conversation_id>/close",
    "/v1/conversations/<uuid:conversation_id>/reopen",
    "/v1/conversations/<uuid:conversation_id>/assign",
    "/v1/conversations/<uuid:conversation_id>/read",
    "/v1/conversations/bulk",
    "/v1/contacts/<uuid:contact_id>/merge",
    "/v1/contacts/<uuid:contact_id>/erase",
    "/v1/dead-letters/replay",
    "/v1/dead-letters/discard",
    "/v1/dead-letters/clearings/<uuid:clearing_id>/pause",
    "/v1/dead-letters/clearings/<uuid:clearing_id>/resume",
    "/v1/dead-letters/clearings/<uuid:clearing_id>/cancel",
    "/v1/realtime/tickets",
    "/v1/invoices/<uuid:invoice_id>/cancel",
    "/v1/invoices/<uuid:invoice_id>/dispute",
    "/v1/invoices/<uuid:invoice_id>/settle",
    "/v1/reminder-policies/<uuid:policy_id>/go-live",
    "/v1/reminder-policies/<uuid:policy_id>/stop",
    "/v1/reminder-policies/<uuid:policy_id>/preview",
    "/v1/registration-flows/<uuid:flow_id>/go-live",
    "/v1/registration-flows/<uuid:flow_id>/stop",
    "/v1/registrations/<uuid:registration_id>/hand-back",
    "/v1/registrations/<uuid:registration_id>/cancel",
    "/v1/people/search",
    "/v1/people/<uuid:person_id>/export",
    "/v1/people/<uuid:person_id>/erase",
    "/v1/dead-letters/<uuid:letter_id>/replay",
    "/v1/dead-letters/<uuid:letter_id>/discard",
    "/v1/webhook-endpoints/<uuid:endpoint_id>/enable",
    "/v1/webhook-endpoints/<uuid:endpoint_id>/disable",
    "/v1/webhook-endpoints/<uuid:endpoint_id>/replay",
    "/v1/webhook-endpoints/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/replay",
    "/v1/uploads/<uuid:upload_id>/parts",
    "/v1/uploads/<uuid:upload_id>/complete",
    "/v1/uploads/<uuid:upload_id>/abort",
    # It does that by itself, with what was received: tests/files/test_intake.py.
    "/v1/files",
}
# They change nothing that the trail tells of: two go on with a session or key whose beginning is in it, and
# messages have a trail of their own, their events.
WITHOUT_TRAIL = {
    "/v1/realtime/tickets",
    "/v1/auth/refresh",
    "/v1/channel-accounts/<uuid:account_id>/verify",
    "/v1/channel-accounts/<uuid:account_id>/connect",
    "/v1/channel-accounts/<uuid:account_id>/check-callback",
    "/v1/templates/<uuid:template_id>/versions/<int:number>/preview",
    "/v1/messages",
    "/v1/messages/batch",
    # A thousand events would say no more than the invoices themselves.
    "/v1/invoices/batch",
    "/v1/reminder-policies/<uuid:policy_id>/preview",
    # Who looks for people or exports them is in the access log of the vault.
    "/v1/people/search",
    "/v1/people/<uuid:person_id>/export",
    # An upload is its own trail, and so is the file that it becomes.
    "/v1/files",
    "/v1/uploads",
    "/v1/uploads/<uuid:upload_id>/parts",
    "/v1/uploads/<uuid:upload_id>/complete",
    "/v1/uploads/<uuid:upload_id>/abort",
    # An event that only says that it is one.
    "/v1/webhook-endpoints/<uuid:endpoint_id>/test",
}


def test_endpoints_are_found() -> None:
    assert len(ALL) >= 11
    assert len(NAMING) >= 3


@pytest.mark.parametrize(("endpoint", "method"), NAMING_CALLS, ids=named(NAMING_CALLS))
def test_other_organizations_thing_does_not_exist(
    aurora: House, boreal: House, endpoint: Endpoint, method: str
) -> None:
    kind = kind_of(endpoint.view)
    assert kind is not None
    theirs = SOMEBODY_ELSES[kind](boreal)
    rows = type(theirs).across_organizations.filter(pk=theirs.pk)
    before = rows.values().get()
    for caller in (as_member(aurora.owner), with_key(aurora.organization)):
        answer = caller.send(method.upper(), endpoint.filled(theirs.pk), {})
        assert answer.status_code == 404
        missing = caller.send(method.upper(), endpoint.filled(NOBODYS), {})
        assert {**answer.json(), "request_id": ""} == {**missing.json(), "request_id": ""}
    assert rows.values().get() == before


@pytest.mark.parametrize("endpoint", [each for each in ALL if not each.parameters], ids=lambda each: each.path)
def test_list_shows_nothing_of_other_organizations(aurora: House, boreal: House, endpoint: Endpoint) -> None:
    if "get" not in endpoint.methods:
        return
    for make in SOMEBODY_ELSES.values():
        make(boreal)
    text = as_member(aurora.owner).get(endpoint.path + "?limit=200").content.decode()
    assert "boreal" not in text.lower()


@pytest.mark.parametrize(("endpoint", "method"), CALLS, ids=named(CALLS))
def test_stranger_without_credentials_is_refused(endpoint: Endpoint, method: str) -> None:
    answer = Api().send(method.upper(), endpoint.filled(NOBODYS), {})
    assert answer.status_code == (400 if endpoint.path in OPEN else 401)


@pytest.mark.parametrize(("endpoint", "method"), CALLS, ids=named(CALLS))
def test_caller_without_the_scope_is_refused(aurora: House, endpoint: Endpoint, method: str) -> None:
    needed = endpoint.view.scopes.get(method.upper())
    if endpoint.path in WITHOUT_SCOPE:
        assert needed is None
        return
    assert needed is not None, "say in `scopes` what a caller must be allowed to do"
    others = [scope for scope in Scope if scope != needed]
    answer = with_key(aurora.organization, *others).send(method.upper(), endpoint.filled(NOBODYS), {})
    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_scope"
    assert needed in answer.json()["detail"]


@pytest.mark.parametrize("endpoint", [each for each in ALL if "post" in each.methods], ids=lambda each: each.path)
def test_creation_can_be_repeated_safely(endpoint: Endpoint) -> None:
    is_idempotent = getattr(endpoint.view.post, "is_idempotent", False)  # type: ignore[attr-defined]
    assert is_idempotent or endpoint.path in REPEATABLE, "put @idempotent on its post()"


WRITING = [(endpoint, method) for endpoint, method in CALLS if method != "get"]


@pytest.mark.parametrize(("endpoint", "method"), WRITING, ids=named(WRITING))
def test_every_change_leaves_a_trail(aurora: House, owner: Api, endpoint: Endpoint, method: str) -> None:
    if endpoint.path in WITHOUT_TRAIL:
        return
    name = f"{method.upper()} {endpoint.path}"
    body, action = CHANGES[name]
    kind = kind_of(endpoint.view)
    target = None if kind is None else SOMEBODY_ELSES[kind](aurora)
    if name in BEFORE:
        BEFORE[name](aurora, target)
    body = body(aurora) if callable(body) else body
    AuditEvent.across_organizations.all().delete()
    answer = owner.send(method.upper(), endpoint.filled(target.pk if target else ""), body)
    assert answer.status_code < 300, answer.content
    event = AuditEvent.objects.for_organization(aurora.organization).filter(action=action).get()
    assert event.actor_label == "owner@aurora.example"
    assert event.request_id == answer["X-Request-Id"]
    assert event.ip == "127.0.0.1"
