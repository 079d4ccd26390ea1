"""One of each kind of thing that an address can name, belonging to somebody. A new kind goes in here."""

from collections.abc import Callable
from typing import Any

from apps.accounts import api_keys
from apps.accounts.api.view import ApiView, TenantView
from apps.accounts.models import ApiKey, Membership
from apps.accounts.principal import Principal
from apps.billing import imports as invoice_imports
from apps.billing import payment_sources, pix
from apps.billing.models import Invoice, InvoiceImport, PaymentSource, Reminder, ReminderPolicy
from apps.callbacks.models import WebhookDelivery, WebhookEndpoint
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.files import uploads
from apps.files.models import File, Upload, UploadWay
from apps.messaging import labels, notes, routes
from apps.messaging.consent import suppressions
from apps.messaging.dead_letters import clearings
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.models import (
    Clearing,
    ClearingAction,
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
from apps.registration import starting
from apps.registration.api.people import PersonView
from apps.registration.kinds import Kind
from apps.registration.models import Registration, RegistrationFlow
from apps.registration.vault.models import Person
from tests.billing import bills
from tests.billing import policies as billing_policies
from tests.callbacks.office import add_delivery, add_endpoint
from tests.cast import House, add_channel_account
from tests.messaging import history
from tests.messaging.files import kept
from tests.registration import talks
from tests.registration.vault import told


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


def clearing(house: House) -> Clearing:
    history.dead(house)
    return clearings.start(house.principal(), ClearingAction.REPLAY, Selection())


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
    Clearing: clearing,
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


def kind_of(view: type[ApiView]) -> type[Any] | None:
    """By which SOMEBODY_ELSES knows what it is about."""
    if issubclass(view, TenantView):
        return view.model
    return next((each for each in view.__mro__ if each in SOMEBODY_ELSES), None)
