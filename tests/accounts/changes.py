"""What changes something: a body that does, and what the trail says. A new endpoint that writes goes in here."""

from collections.abc import Callable
from typing import Any

from apps.billing import invoices
from apps.billing import policies as reminder_policies
from apps.callbacks import endpoints as webhook_endpoints
from apps.messaging import contacts, conversations, labels
from apps.messaging.dead_letters import clearings
from apps.messaging.models import (
    Conversation,
)
from apps.registration import flows as registration_flows
from apps.registration.models import Registration
from tests.billing import bills
from tests.billing import policies as billing_policies
from tests.callbacks.office import add_delivery
from tests.cast import CREDENTIALS, House
from tests.messaging import history
from tests.messaging.files import kept
from tests.registration import talks


# Bodies that name something there is.
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


def started(house: House) -> Any:
    account = history.account_of(house)
    return {
        "flow_id": str(talks.live_flow(house, account).pk),
        "account_id": str(account.pk),
        "to": "+5511912345666",
    }


def assigned(house: House) -> Any:
    return {"member_id": str(house.agent.pk)}


def resting(house: House) -> Any:
    return {"ids": [str(history.dead(house).pk)], "reason": "too old"}


def labelled(house: House) -> Any:
    return {"labels": [str(labels.add(house.principal(), name="Entrega", color="#112233").pk)]}


def closed(house: House) -> Any:
    return {"ids": [str(history.conversation(house).pk)], "action": "close"}


def merged(house: House) -> Any:
    return {"into": str(contacts.add(house.principal(), name="Ana").pk)}


def imported(house: House) -> Any:
    return {"file_id": str(kept.row(house.organization, 5, "contas.csv").pk)}


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
    "POST /v1/channel-accounts/<uuid:account_id>/drain": ({"reason": "holidays"}, "channel_account.draining"),
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
    "POST /v1/dead-letters/discard": (resting, "dead_letters.discarded"),
    "POST /v1/dead-letters/clearings": ({"action": "replay"}, "clearing.started"),
    "POST /v1/dead-letters/clearings/<uuid:clearing_id>/pause": (None, "clearing.paused"),
    "POST /v1/dead-letters/clearings/<uuid:clearing_id>/resume": (None, "clearing.resumed"),
    "POST /v1/dead-letters/clearings/<uuid:clearing_id>/cancel": (None, "clearing.cancelled"),
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
    "POST /v1/registrations": (started, "registration.started"),
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
    "POST /v1/dead-letters/clearings": lambda house, _target: history.dead(house),
    "POST /v1/dead-letters/clearings/<uuid:clearing_id>/resume": lambda house, target: clearings.pause(
        house.principal(), target
    ),
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
