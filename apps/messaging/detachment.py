"""A person is parted from their addresses: nothing goes there any more, and whoever writes from there is new."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound

from apps.accounts.erasure import ERASED
from apps.accounts.models import Organization
from apps.channels.addresses import normalized
from apps.channels.callback import BadCallback, Callback, CallbackEvent, Inbound, Moved, Receipt
from apps.channels.capabilities import AddressKind
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector, connector_class
from apps.core import clock
from apps.core.deadlocks import tried_again
from apps.messaging.consent import suppressions
from apps.messaging.conversations import lock
from apps.messaging.models import (
    ConsentSource,
    Contact,
    ContactAddress,
    Conversation,
    ConversationLabel,
    ConversationNote,
    MergedContact,
    Message,
    ProviderCallback,
    Route,
    Suppression,
)

# In the place of an address, before the id of what has it.
NOWHERE = "erased:"
CALLBACKS_AT_ONCE = 50
# Of a phone number: providers write it with and without what stands before.
_LAST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Person:
    """A contact with all that its traces are found by. Erased before, it has no addresses any more."""

    organization: Organization
    contact_id: UUID
    # Contacts that became part of it.
    merged_ids: Sequence[UUID]
    conversation_ids: Sequence[UUID]
    # Pairs of a kind and an address.
    ways: frozenset[tuple[str, str]]

    @property
    def addresses(self) -> list[str]:
        return sorted({address for _kind, address in self.ways})

    def suppressions(self) -> QuerySet[Suppression]:
        return suppressions.of_addresses(self.organization.id, self.ways)

    def routes(self) -> QuerySet[Route]:
        """Those that lead to them."""
        accounts = ChannelAccount.objects.for_organization(self.organization).values_list("pk", "connector")
        leading = [
            Q(target_account=account_id, target_address=address)
            for account_id, name in accounts
            for kind, address in self.ways
            if connector_class(name).capabilities.address == kind
        ]
        routes = Route.objects.for_organization(self.organization)
        return routes.filter(reduce(or_, leading, Q(pk__in=[])))


def find(organization: Organization, contact_id: UUID) -> Person:
    if not Contact.objects.for_organization(organization).filter(pk=contact_id).exists():
        raise NotFound
    reached = ContactAddress.objects.for_organization(organization).filter(contact=contact_id)
    conversations = Conversation.objects.for_organization(organization).filter(contact=contact_id)
    talked = list(conversations.values_list("pk", "address", "account__connector"))
    ways = set(reached.values_list("kind", "value")) | {
        (str(connector_class(name).capabilities.address), address)
        for _, address, name in talked
        if not address.startswith(NOWHERE)
    }
    merged = MergedContact.objects.for_organization(organization).filter(contact=contact_id)
    return Person(
        organization,
        contact_id,
        list(merged.values_list("pk", flat=True)),
        [pk for pk, _, _ in talked],
        frozenset(ways),
    )


@tried_again
@transaction.atomic
def detach(organization: Organization, contact_id: UUID) -> Counter[str]:
    """Locks are taken in the order in which merging takes them: addresses, conversations, the contact."""
    reached = ContactAddress.objects.for_organization(organization).filter(contact=contact_id)
    list(reached.order_by("kind", "value").select_for_update().values_list("pk"))
    lock(Conversation.objects.for_organization(organization).filter(contact=contact_id))
    contact = Contact.objects.for_organization(organization).select_for_update(no_key=True).get(pk=contact_id)
    person = find(organization, contact_id)
    done = Counter(suppressions_added=_keep_refusals(contact, person.ways))
    done["suppressions_kept"] = person.suppressions().count()
    done["consents"] = _forget_consents(contact_id)
    done["routes"] = _stop_routes(person)
    talks = person.conversation_ids
    done["notes"] = ConversationNote.across_organizations.filter(conversation__in=talks).delete()[0]
    done["labels"] = ConversationLabel.across_organizations.filter(conversation__in=talks).delete()[0]
    done["addresses"] = reached.delete()[0]
    done["conversations"] = _part(contact_id)
    # Whatever is accepted this moment, or comes back from a provider, is not sent.
    contact.left_at = contact.left_at or clock.now()
    contact.save(update_fields=["left_at"])
    return done


def _keep_refusals(contact: Contact, ways: Iterable[tuple[str, str]]) -> int:
    """What they wanted none of stays unsent, whoever is reached at these addresses next."""
    categories = [""] if contact.left_at is not None else contact.refused_categories
    added = 0
    for kind in sorted({kind for kind, _ in ways}):
        values = [value for of, value in ways if of == kind]
        for category in categories:
            added += len(
                suppressions.add(contact.organization_id, kind, values, ConsentSource.OPERATOR, category=category)
            )
    return added


def _forget_consents(contact_id: UUID) -> int:
    """That something was allowed or refused stays, with its time; where, and in whose words, does not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE consent_event
               SET subject = regexp_replace(subject, %(address)s, %(gone)s),
                   detail = CASE source WHEN %(word)s THEN detail ELSE '' END
             WHERE contact_id = %(contact)s
               AND (subject ~ %(address)s AND subject !~ %(erased)s OR source <> %(word)s AND detail <> '')
            """,
            {
                "contact": contact_id,
                "address": rf"^({'|'.join(AddressKind)}):\S+",
                "gone": rf"\1:{ERASED}",
                "erased": r":\[erased\]",
                "word": ConsentSource.WORD,
            },
        )
        return int(cursor.rowcount)


def _stop_routes(person: Person) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE route SET is_active = false, target_address = %s || id WHERE id = ANY(%s::uuid[])",
            [NOWHERE, list(person.routes().values_list("pk", flat=True))],
        )
        return int(cursor.rowcount)


def _part(contact_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE conversation
               SET address = %(nowhere)s || id, closed_at = coalesce(closed_at, %(now)s), unread_count = 0
             WHERE contact_id = %(contact)s AND address NOT LIKE %(nowhere)s || '%%'
            """,
            {"contact": contact_id, "nowhere": NOWHERE, "now": clock.now()},
        )
        return int(cursor.rowcount)


def forget_callbacks(person: Person) -> Counter[str]:
    """What providers said of them and nobody has worked on, or could. What others are in as well stays."""
    found: Counter[str] = Counter()
    accounts = ChannelAccount.objects.for_organization(person.organization).in_bulk()
    needles = [address[-_LAST_DIGITS:] if kind == AddressKind.PHONE else address for kind, address in person.ways]
    after = 0
    while ids := _naming(list(accounts), needles, after):
        after = ids[-1]
        for callback in ProviderCallback.objects.filter(pk__in=ids):
            about = _is_about(person, accounts[callback.account_id], callback)
            if about is True:
                callback.delete()
                found["callbacks"] += 1
            elif about is None:
                found["callbacks_of_others_too"] += 1
    return found


def _naming(account_ids: Sequence[UUID], needles: Sequence[str], after: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id
              FROM provider_callback
             WHERE id > %s AND account_id = ANY(%s::uuid[])
               AND EXISTS (SELECT 1 FROM unnest(%s::bytea[]) AS needle WHERE position(needle IN body) > 0)
             ORDER BY id
             LIMIT %s
            """,
            [after, list(account_ids), [needle.encode() for needle in needles], CALLBACKS_AT_ONCE],
        )
        return [callback_id for (callback_id,) in cursor.fetchall()]


def _is_about(person: Person, account: ChannelAccount, callback: ProviderCallback) -> bool | None:
    """None where it is about somebody else as well. What cannot be read is theirs if it names an address."""
    body = bytes(callback.body)
    try:
        events = list(connector(callback.connector).events_of(Callback(callback.url, {}, body)))
    except (BadCallback, ValueError, TypeError, LookupError):
        return any(address.removeprefix("+").encode() in body for address in person.addresses)
    theirs = [_is_theirs(person, event) for event in events]
    receipts = [event for event in events if isinstance(event, Receipt)]
    of_us = Q(provider_id__in=[each.provider_id for each in receipts]) | Q(
        pk__in=[each.message_id for each in receipts if each.message_id is not None]
    )
    said_of = set(
        Message.across_organizations.filter(of_us, account=account).values_list("conversation_id", flat=True)
        if receipts
        else ()
    )
    theirs += [conversation_id in person.conversation_ids for conversation_id in said_of]
    if all(theirs):
        return bool(theirs)
    return None if any(theirs) else False


def _is_theirs(person: Person, event: CallbackEvent) -> bool:
    match event:
        case Inbound():
            return normalized(event.sender) in person.addresses
        case Moved():
            return normalized(event.old) in person.addresses
        case Receipt():
            return True  # its message is looked up
