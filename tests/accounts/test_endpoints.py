"""Rules for every endpoint there is and will be: the list is read from the URLs, so it grows by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter

from apps.accounts import api_keys
from apps.accounts.api.view import ApiView, TenantView
from apps.accounts.models import ApiKey, AuditEvent, Membership
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.billing import imports as invoice_imports
from apps.billing import invoices, payment_sources, pix
from apps.billing import policies as reminder_policies
from apps.billing.models import Invoice, InvoiceImport, PaymentSource, Reminder, ReminderPolicy
from apps.callbacks import endpoints as webhook_endpoints
from apps.callbacks.models import WebhookDelivery, WebhookEndpoint
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.files import uploads
from apps.files.models import File, Upload, UploadWay
from apps.messaging import contacts, conversations, labels, notes, routes
from apps.messaging.consent import suppressions
from apps.messaging.models import (
    ConsentSource,
    Contact,
    ContactAddress,
    Conversation,
    ConversationNote,
    DeadLetter,
    Label,
    Message,
    Route,
    Suppression,
    Template,
    TemplateText,
)
from apps.messaging.wording import versions
from apps.registration import flows as registration_flows
from apps.registration import starting
from apps.registration.api.people import PersonView
from apps.registration.kinds import Kind
from apps.registration.models import Registration, RegistrationFlow
from apps.registration.vault.models import Person
from tests.billing import bills
from tests.billing import policies as billing_policies
from tests.callbacks.office import add_delivery, add_endpoint
from tests.cast import CREDENTIALS, Api, House, add_channel_account, as_member, with_key
from tests.messaging import history
from tests.messaging.files import kept
from tests.registration import talks
from tests.registration.vault import told

pytestmark = pytest.mark.django_db
NOBODYS = UUID(int=0)


def webhook_delivery(house: House) -> WebhookDelivery:
    """Its address names its endpoint too, and here every name is filled with one id."""
    endpoint = add_endpoint(house)
    return add_delivery(house, endpoint, id=endpoint.pk)


def template(house: House) -> Template:
    texts = [TemplateText(language="en", body="Oi")]
    name = f"of_{house.organization.slug}"
    return versions.create(Principal.of_system(house.organization), name=name, texts=texts).template


def route(house: House) -> Route:
    account = history.account_of(house)
    return routes.add(
        Principal.of_system(house.organization),
        name="x",
        source_account=account,
        target_account=account,
        target_address="+5511912345699",
    )


def suppression(house: House) -> Suppression:
    (added,) = suppressions.add(house.organization.id, "phone", ["+5511912345699"], ConsentSource.API)
    return added


def routed(house: House) -> Any:
    account = str(history.account_of(house).pk)
    return {
        "name": "y",
        "source_account_id": account,
        "target_account_id": account,
        "target_address": "+5511912345699",
    }


def reminding(house: House) -> Any:
    """With the template of the one that there is."""
    rules = [{"template": f"bill_of_{house.organization.slug}"}]
    return billing_policies.body(history.account_of(house), rules=rules)


def usual(house: House) -> Any:
    return {"name": "y", "accounts": [str(history.account_of(house).pk)]}


def invoice(house: House) -> Invoice:
    code = pix.build("x@x.example", "X", "X", 14990, f"of{house.organization.slug}")
    return bills.add(house, pix_code=code)


def payment_source(house: House) -> PaymentSource:
    source, _ = payment_sources.add(house.principal(), name=f"x of {house.organization.slug}")
    return source


def invoice_import(house: House) -> InvoiceImport:
    file = kept.row(house.organization, 5, f"x of {house.organization.slug}")
    return invoice_imports.start(house.principal(), file.pk)


def flow(house: House) -> RegistrationFlow:
    """Live, and started by nobody."""
    return talks.live_flow(house, history.account_of(house), name=f"x of {house.organization.slug}")


def registration(house: House) -> Registration:
    account = history.account_of(house)
    started = talks.live_flow(house, account, name=f"y of {house.organization.slug}")
    return starting.start(house.principal(), started, account_id=account.pk, to="+5511912345655")


def person(house: House) -> Person:
    values = {"name": (Kind.NAME, f"Ana of {house.organization.slug}")}
    person_id = told.write(house, values, contact_id=history.contact(house).pk)
    return Person.across_organizations.get(pk=person_id)


METHODS = ("get", "post", "put", "patch", "delete")

# One of each kind of thing that an address can name, belonging to somebody else. A new kind goes in here.
# Views of people see no model: they are known by what they have in common.
SOMEBODY_ELSES: dict[type[Any], Callable[[House], Any]] = {
    Membership: lambda house: house.viewer,
    ApiKey: lambda house: api_keys.issue(
        Principal.of_system(house.organization), name="x", scopes=["members:read"]
    )[0],
    ChannelAccount: lambda house: accounts.pause(
        Principal.of_system(house.organization), add_channel_account(house), reason="so that it can be resumed"
    ),
    Message: history.queued,
    Conversation: history.conversation,
    Contact: history.contact,
    ContactAddress: lambda house: history.contact(house).addresses.get(),
    ConversationNote: lambda house: notes.write(house.principal(), history.conversation(house), "x"),
    Label: lambda house: labels.add(house.principal(), name=f"x of {house.organization.slug}", color="#112233"),
    DeadLetter: history.dead,
    Template: template,
    Route: route,
    Suppression: suppression,
    Invoice: invoice,
    InvoiceImport: invoice_import,
    PaymentSource: payment_source,
    ReminderPolicy: billing_policies.drafted,
    Reminder: billing_policies.skipped,
    RegistrationFlow: flow,
    Registration: registration,
    PersonView: person,
    WebhookEndpoint: add_endpoint,
    WebhookDelivery: webhook_delivery,
    File: lambda house: kept.row(house.organization, 5, f"x of {house.organization.slug}"),
    Upload: lambda house: uploads.begin(
        house.organization, UploadWay.STREAMED, name=f"x of {house.organization.slug}", size=5
    ),
}

# They are open to everybody, or answer whoever is known about themselves.
WITHOUT_SCOPE = {"/v1/auth/token", "/v1/auth/refresh", "/v1/auth/logout", "/v1/me"}
# They ask for no credentials: they are where one gets them.
OPEN = {"/v1/auth/token", "/v1/auth/refresh"}
# They create nothing that a repetition would create twice.
REPEATABLE = {
    *OPEN,
    "/v1/auth/logout",
    "/v1/channel-accounts/<uuid:account_id>/pause",
    "/v1/channel-accounts/<uuid:account_id>/resume",
    "/v1/channel-accounts/<uuid:account_id>/verify",
    "/v1/channel-accounts/<uuid:account_id>/connect",
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
    "/v1/templates/<uuid:template_id>/versions/<int:number>/preview",
    "/v1/messages",
    "/v1/messages/batch",
    # A thousand events would say no more than the invoices themselves.
    "/v1/invoices/batch",
    "/v1/reminder-policies/<uuid:policy_id>/preview",
    # A registration is its own trail, and so are its messages.
    "/v1/registrations",
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


@dataclass(frozen=True)
class Endpoint:
    path: str
    view: type[ApiView]
    parameters: tuple[str, ...]

    @property
    def methods(self) -> list[str]:
        return [method for method in METHODS if hasattr(self.view, method)]

    def filled(self, value: object) -> str:
        path = self.path
        for name in self.parameters:
            path = path.replace(f"<uuid:{name}>", str(value)).replace(f"<int:{name}>", "1")
        return path


def endpoints(patterns: Any = None, prefix: str = "/") -> Iterator[Endpoint]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver) and path.startswith("/v1/"):
            yield from endpoints(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("/v1/"):
            view = getattr(pattern.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, ApiView):
                converters = pattern.pattern.converters
                assert all(isinstance(each, UUIDConverter | IntConverter) for each in converters.values()), path
                yield Endpoint(path, view, tuple(converters))


def kind_of(view: type[ApiView]) -> type[Any] | None:
    """By which SOMEBODY_ELSES knows what it is about."""
    if issubclass(view, TenantView):
        return view.model
    return next((each for each in view.__mro__ if each in SOMEBODY_ELSES), None)


ALL = list(endpoints())
NAMING = [endpoint for endpoint in ALL if endpoint.parameters]
CALLS = [(endpoint, method) for endpoint in ALL for method in endpoint.methods]
NAMING_CALLS = [(endpoint, method) for endpoint in NAMING for method in endpoint.methods]


def named(calls: list[tuple[Endpoint, str]]) -> list[str]:
    return [f"{method.upper()} {endpoint.path}" for endpoint, method in calls]


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


# Bodies that name something there is.
def assigned(house: House) -> Any:
    return {"member_id": str(house.agent.pk)}


def labelled(house: House) -> Any:
    return {"labels": [str(labels.add(house.principal(), name="Entrega", color="#112233").pk)]}


def closed(house: House) -> Any:
    return {"ids": [str(history.conversation(house).pk)], "action": "close"}


def merged(house: House) -> Any:
    return {"into": str(contacts.add(house.principal(), name="Ana").pk)}


def imported(house: House) -> Any:
    return {"file_id": str(kept.row(house.organization, 5, "contas.csv").pk)}


# What changes something, with a body that does. A new endpoint that writes goes in here.
CHANGES: dict[str, tuple[Any, str]] = {
    "POST /v1/auth/token": (
        {"email": "owner@aurora.example", "password": "pão-de-queijo-quente"},
        "session.opened",
    ),
    "POST /v1/auth/logout": (None, "session.closed"),
    "PATCH /v1/organization": ({"name": "Padaria Nova Aurora"}, "organization.changed"),
    "POST /v1/members": ({"email": "nova@aurora.example", "role": "agent"}, "member.added"),
    "PATCH /v1/members/<uuid:member_id>": ({"role": "agent"}, "member.role_changed"),
    "DELETE /v1/members/<uuid:member_id>": (None, "member.removed"),
    "POST /v1/api-keys": ({"name": "Loja", "scopes": ["members:read"]}, "api_key.created"),
    "DELETE /v1/api-keys/<uuid:key_id>": (None, "api_key.revoked"),
    "POST /v1/api-keys/<uuid:key_id>/rotate": ({}, "api_key.rotated"),
    "POST /v1/channel-accounts": (
        {"connector": "instagram", "name": "Padaria", "credentials": CREDENTIALS["instagram"]},
        "channel_account.added",
    ),
    "PATCH /v1/channel-accounts/<uuid:account_id>": ({"burst": 7}, "channel_account.changed"),
    "POST /v1/channel-accounts/<uuid:account_id>/pause": ({"reason": "holidays"}, "channel_account.paused"),
    "POST /v1/channel-accounts/<uuid:account_id>/resume": (None, "channel_account.resumed"),
    "POST /v1/messages/<uuid:message_id>/cancel": (None, "message.cancelled"),
    "POST /v1/conversations/<uuid:conversation_id>/close": (None, "conversation.closed"),
    "POST /v1/conversations/<uuid:conversation_id>/reopen": (None, "conversation.reopened"),
    "POST /v1/conversations/<uuid:conversation_id>/assign": (assigned, "conversation.assigned"),
    "POST /v1/conversations/<uuid:conversation_id>/read": (None, "conversation.read"),
    "PUT /v1/conversations/<uuid:conversation_id>/labels": (labelled, "conversation.labelled"),
    "POST /v1/conversations/<uuid:conversation_id>/notes": ({"text": "x"}, "conversation.note_written"),
    "DELETE /v1/notes/<uuid:note_id>": (None, "conversation.note_deleted"),
    "POST /v1/conversations/bulk": (closed, "conversations.closed"),
    "POST /v1/labels": ({"name": "Entrega"}, "label.added"),
    "PATCH /v1/labels/<uuid:label_id>": ({"name": "Entrega"}, "label.changed"),
    "DELETE /v1/labels/<uuid:label_id>": (None, "label.removed"),
    "POST /v1/contacts": ({"name": "Ana"}, "contact.added"),
    "PATCH /v1/contacts/<uuid:contact_id>": ({"name": "Ana"}, "contact.changed"),
    "POST /v1/contacts/<uuid:contact_id>/addresses": (
        {"kind": "email", "value": "ana@exemplo.com"},
        "contact.address_added",
    ),
    "DELETE /v1/contact-addresses/<uuid:address_id>": (None, "contact.address_removed"),
    "POST /v1/contacts/<uuid:contact_id>/merge": (merged, "contact.merged"),
    "POST /v1/contacts/<uuid:contact_id>/consents": (
        {"subject": "category:marketing", "is_given": False},
        "consent.recorded",
    ),
    "POST /v1/suppressions": ({"kind": "phone", "addresses": ["+5511912345688"]}, "suppression.added"),
    "DELETE /v1/suppressions/<uuid:suppression_id>": (None, "suppression.removed"),
    "POST /v1/routes": (routed, "route.added"),
    "PATCH /v1/routes/<uuid:route_id>": ({"is_active": False}, "route.changed"),
    "DELETE /v1/routes/<uuid:route_id>": (None, "route.removed"),
    "POST /v1/templates": ({"name": "bill_due"}, "template.created"),
    "PATCH /v1/templates/<uuid:template_id>": ({"description": "x"}, "template.changed"),
    "POST /v1/templates/<uuid:template_id>/versions": ({"copy_of": 1}, "template.drafted"),
    "PATCH /v1/templates/<uuid:template_id>/versions/<int:number>": ({"texts": []}, "template.draft_changed"),
    "POST /v1/templates/<uuid:template_id>/versions/<int:number>/publish": (None, "template.published"),
    "POST /v1/dead-letters/<uuid:letter_id>/replay": (None, "dead_letter.replayed"),
    "POST /v1/dead-letters/<uuid:letter_id>/discard": ({"reason": "too old"}, "dead_letter.discarded"),
    "POST /v1/dead-letters/replay": ({"dry_run": False}, "dead_letters.replayed"),
    "POST /v1/invoices": (bills.wanted(), "invoice.created"),
    "PATCH /v1/invoices/<uuid:invoice_id>": ({"due_on": "2027-01-02"}, "invoice.changed"),
    "POST /v1/invoices/<uuid:invoice_id>/pay": ({"amount": 1}, "invoice.payment_recorded"),
    "POST /v1/invoices/<uuid:invoice_id>/cancel": (None, "invoice.cancelled"),
    "POST /v1/invoices/<uuid:invoice_id>/dispute": (None, "invoice.disputed"),
    "POST /v1/invoices/<uuid:invoice_id>/settle": (None, "invoice.dispute_settled"),
    "POST /v1/invoices/import": (imported, "invoice_import.started"),
    "POST /v1/payment-sources": ({"name": "Banco"}, "payment_source.added"),
    "PATCH /v1/payment-sources/<uuid:source_id>": ({"name": "Banco"}, "payment_source.changed"),
    "DELETE /v1/payment-sources/<uuid:source_id>": (None, "payment_source.removed"),
    "POST /v1/payment-sources/<uuid:source_id>/rotate-secret": (None, "payment_source.secret_rotated"),
    "POST /v1/reminder-policies": (reminding, "reminder_policy.added"),
    "POST /v1/reminder-policies/usual": (usual, "reminder_policy.added"),
    "PATCH /v1/reminder-policies/<uuid:policy_id>": ({"name": "Others"}, "reminder_policy.changed"),
    "DELETE /v1/reminder-policies/<uuid:policy_id>": (None, "reminder_policy.removed"),
    "POST /v1/reminder-policies/<uuid:policy_id>/go-live": (None, "reminder_policy.put_live"),
    "POST /v1/reminder-policies/<uuid:policy_id>/stop": (None, "reminder_policy.stopped"),
    "POST /v1/registration-flows": ({"name": "y"}, "registration_flow.added"),
    "PATCH /v1/registration-flows/<uuid:flow_id>": ({"keywords": ["oi"]}, "registration_flow.changed"),
    "DELETE /v1/registration-flows/<uuid:flow_id>": (None, "registration_flow.removed"),
    "POST /v1/registration-flows/<uuid:flow_id>/publish": (talks.definition(), "registration_flow.published"),
    "POST /v1/registration-flows/<uuid:flow_id>/go-live": (None, "registration_flow.went_live"),
    "POST /v1/registration-flows/<uuid:flow_id>/stop": (None, "registration_flow.stopped"),
    "POST /v1/registrations/<uuid:registration_id>/hand-back": (None, "registration.handed_back"),
    "POST /v1/registrations/<uuid:registration_id>/cancel": (None, "registration.cancelled"),
    "POST /v1/people/<uuid:person_id>/erase": ({"reason": "asked for"}, "contact.erased"),
    "POST /v1/contacts/<uuid:contact_id>/erase": ({"reason": "asked for"}, "contact.erased"),
    "PATCH /v1/storage-policy": ({"keep_days": 30}, "storage_policy.changed"),
    "DELETE /v1/files/<uuid:file_id>": (None, "file.deleted"),
    "POST /v1/webhook-endpoints": ({"url": "https://app.aurora.example/hooks"}, "webhook_endpoint.added"),
    "PATCH /v1/webhook-endpoints/<uuid:endpoint_id>": ({"description": "shop"}, "webhook_endpoint.changed"),
    "DELETE /v1/webhook-endpoints/<uuid:endpoint_id>": (None, "webhook_endpoint.removed"),
    "POST /v1/webhook-endpoints/<uuid:endpoint_id>/rotate-secret": (None, "webhook_endpoint.secret_rotated"),
    "POST /v1/webhook-endpoints/<uuid:endpoint_id>/disable": (None, "webhook_endpoint.disabled"),
    "POST /v1/webhook-endpoints/<uuid:endpoint_id>/enable": (None, "webhook_endpoint.enabled"),
    "POST /v1/webhook-endpoints/<uuid:endpoint_id>/replay": (
        {"since": "2026-01-01T00:00:00Z", "dry_run": False},
        "webhook_deliveries.replayed",
    ),
    "POST /v1/webhook-endpoints/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/replay": (
        None,
        "webhook_delivery.replayed",
    ),
}
# What has to be so before the change can be made.
BEFORE: dict[str, Callable[[House, Any], object]] = {
    "POST /v1/conversations/<uuid:conversation_id>/reopen": lambda house, target: conversations.close(
        house.principal(), target
    ),
    "POST /v1/conversations/<uuid:conversation_id>/read": lambda _house, target: (
        Conversation.across_organizations.filter(pk=target.pk).update(unread_count=1)
    ),
    "POST /v1/invoices/<uuid:invoice_id>/settle": lambda house, target: invoices.dispute(
        house.principal(), target
    ),
    "POST /v1/dead-letters/replay": lambda house, _target: history.dead(house),
    "POST /v1/reminder-policies/<uuid:policy_id>/stop": lambda house, target: reminder_policies.go_live(
        house.principal(), target
    ),
    "POST /v1/registration-flows/<uuid:flow_id>/go-live": lambda house, target: registration_flows.stop(
        house.principal(), target
    ),
    "POST /v1/registrations/<uuid:registration_id>/hand-back": lambda _house, target: (
        Registration.across_organizations.filter(pk=target.pk).update(state="with_person")
    ),
    "POST /v1/webhook-endpoints/<uuid:endpoint_id>/enable": lambda house, target: webhook_endpoints.disable(
        house.principal(), target
    ),
    "POST /v1/webhook-endpoints/<uuid:endpoint_id>/replay": lambda house, target: add_delivery(
        house, target, state="failed"
    ),
}
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
