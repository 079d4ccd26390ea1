"""A person whom everything is known of that conversations bring with them."""

from datetime import timedelta
from typing import Any

import orjson
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from apps.channels.capabilities import AddressKind
from apps.core import clock
from apps.messaging import contacts, inbox, labels, notes, routes
from apps.messaging.consent import choices, suppressions
from apps.messaging.engine.new_message import Step
from apps.messaging.erasure import Report, erase
from apps.messaging.models import (
    ConsentSource,
    Contact,
    Conversation,
    DeadLetter,
    Message,
    MessageEvent,
)
from tests.cast import House
from tests.messaging.desk import ANA, Desk, open_account
from tests.messaging.provider import Provider
from tests.messaging.test_incoming import come_in, said

NAME, MAIL, WORD = "Ana Lima", "ana.lima@exemplo.com.br", "jacaranda"
PERSON = (NAME, ANA.removeprefix("+"), MAIL, WORD)
REASON = "asked for by post"
# Among others; so that a look that finds nothing has looked.
LEFT_BEHIND = {
    "audit_event.changes", "audit_event.target_label", "contact.name", "contact_address.value",
    "conversation.address", "conversation_note.text", "consent_event.detail", "dead_letter.error_detail",
    "django_admin_log.object_repr", "message.error_detail", "message.metadata", "message.reference",
    "message.text", "message_event.detail", "route.target_address", "suppression.value",
}  # fmt: skip


def ana_of(house: House) -> Contact:
    return Contact.objects.for_organization(house.organization).get(addresses__value=ANA)


def erase_ana(house: House, reason: str = REASON) -> Report:
    return erase(house.principal(), ana_of(house), reason)


def talk(house: House, desk: Desk, provider: Provider) -> Contact:
    """Everything that a person may leave behind in conversations."""
    principal = house.principal()
    other = open_account(house, "instagram")
    to_desk = {"source_account": desk.account, "source_conversation": None, "target_account": other}
    routes.add(principal, name="To the desk", target_address="1784140000000009", **to_desk)
    routes.add(principal, name="To a person", target_address=ANA, **to_desk | {"target_account": desk.account})
    come_in(said(f"Quero um {WORD}", "wamid.HBgNANA"), name=NAME)
    ana = ana_of(house)
    contacts.change(principal, ana, time_zone="America/Recife", language="pt-br")
    contacts.add_address(principal, ana, (AddressKind.EMAIL, MAIL))
    contacts.merge(principal, contacts.add(principal, name=f"{NAME} again"), ana)
    conversation = Conversation.across_organizations.get(account=desk.account, address=ANA)
    notes.write(principal, conversation, f"She likes {WORD}")
    inbox.set_labels(principal, conversation, [labels.add(principal, name="likes trees", color="#000000").pk])
    choices.record(principal, ana, choices.Choice("category:marketing", is_given=False), f"{NAME} said so")
    ways: dict[str, Any] = {
        "fallback": (Step(account_id=other.id, to="1784140000000007"),),
        "delivered_within": 60,
    }
    desk.accept(f"Um {WORD}", reference=WORD, metadata={"for": NAME}, **ways)
    desk.drain()
    provider.break_with({"kind": "blocked", "times": 1})
    (dead,) = desk.accept(f"Outro {WORD}")
    desk.drain()
    told = orjson.dumps({"error": "message_rejected", "code": "1", "detail": f"no {WORD} for {ANA}"}).decode()
    MessageEvent.across_organizations.filter(message=dead, kind="failed").update(detail=orjson.loads(told))
    DeadLetter.across_organizations.filter(message=dead).update(error_detail=f"no {WORD} for {ANA}")
    Message.across_organizations.filter(pk=dead).update(error_detail=f"no {WORD} for {ANA}")
    desk.accept(f"Mais um {WORD}", to=ANA)
    desk.accept(f"Depois um {WORD}", scheduled_at=clock.now() + timedelta(days=1))
    # As Telegram's, which are made of the chat.
    Message.across_organizations.filter(direction="inbound").update(provider_id=f"{ANA}:7")
    added = suppressions.put(principal, "email", [MAIL], ConsentSource.OPERATOR, category="offers")
    suppressions.remove(principal, added[0], ConsentSource.OPERATOR)
    contacts.remove_address(principal, ana.addresses.get(value=MAIL))
    former = contacts.add(principal, name="Bia", ways=[(AddressKind.EMAIL, MAIL)])
    contacts.remove_address(principal, former.addresses.get())
    contacts.add_address(principal, ana, (AddressKind.EMAIL, MAIL))
    contact_type = ContentType.objects.get_for_model(Contact)
    LogEntry.objects.create(
        user=house.owner.user, content_type=contact_type, object_id=str(ana.pk), object_repr=NAME, action_flag=2
    )
    return ana
