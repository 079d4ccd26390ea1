"""Whom invoices are for: many people found by their addresses, or added, in a fixed number of statements."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Count, Q

from apps.accounts.models import Organization
from apps.billing.new_invoice import NewCustomer
from apps.channels.registry import NAMES, connector_class
from apps.messaging.contacts import MOST_ADDRESSES, Way
from apps.messaging.models import Contact, ContactAddress

_WORDS = ("name", "language", "time_zone")


def known(organization: Organization, ids: Collection[UUID]) -> set[UUID]:
    """Which of them are contacts of this organization."""
    contacts = Contact.objects.for_organization(organization).filter(pk__in=ids)
    return set(contacts.values_list("pk", flat=True))


def find_or_add(organization: Organization, wanted: Sequence[NewCustomer]) -> list[UUID]:
    """Who each of them is. Within a transaction; an IntegrityError says that somebody else just added one.

    A phone number decides before an e-mail address. What is known of a person is completed, never replaced.
    """
    owners = _owners(organization, {way for customer in wanted for way in customer.ways})
    before = dict(owners)
    new: dict[UUID, Contact] = {}
    room = _room(organization, set(owners.values()))
    answer: list[UUID] = []
    said: dict[UUID, dict[str, str]] = {}
    for customer in wanted:
        owner = next((owners[way] for way in customer.ways if way in owners), None)
        if owner is None:
            contact = Contact(organization=organization)
            owner = contact.pk
            new[owner] = contact
        for way in customer.ways:
            if way not in owners and room[owner] > -MOST_ADDRESSES:
                owners[way] = owner
                room[owner] -= 1
        words = said.setdefault(owner, {})
        for name in _WORDS:
            if value := getattr(customer, name):
                words.setdefault(name, value)
        answer.append(owner)
    for pk, contact in new.items():
        for name, value in said.pop(pk).items():
            setattr(contact, name, value)
    Contact.across_organizations.bulk_create(new.values())
    _reach(organization, {way: owner for way, owner in owners.items() if way not in before})
    _complete(organization, said)
    return answer


def _owners(organization: Organization, ways: Collection[Way]) -> dict[Way, UUID]:
    """Held, in the order in which everybody holds them: whoever merges two of these people is waited for."""
    at = Q(pk__in=[])
    for kind in {kind for kind, _value in ways}:
        at |= Q(kind=kind, value__in=[value for of, value in ways if of == kind])
    rows = ContactAddress.objects.for_organization(organization).filter(at).order_by("kind", "value")
    found = rows.select_for_update(no_key=True, of=("self",)).values_list("kind", "value", "contact_id")
    return {(kind, value): owner for kind, value, owner in found}  # type: ignore[misc]


def _room(organization: Organization, owners: Collection[UUID]) -> Counter[UUID]:
    """Below zero by as many addresses as each has: a file must not heap them on one person."""
    rows = ContactAddress.objects.for_organization(organization).filter(contact__in=owners)
    counted = rows.order_by().values_list("contact_id").annotate(count=Count("pk"))
    return Counter({owner: -count for owner, count in counted})


def _reach(organization: Organization, ways: Mapping[Way, UUID]) -> None:
    """A conversation is with whoever is reached at its address, so those that there are go with it."""
    rows = [
        ContactAddress(organization=organization, contact_id=owner, kind=kind, value=value)
        for (kind, value), owner in sorted(ways.items())
    ]
    ContactAddress.across_organizations.bulk_create(rows)
    if not rows:
        return
    reached = [{"kind": row.kind, "value": row.value, "contact_id": row.contact_id} for row in rows]
    kinds = {name: connector_class(name).capabilities.address for name in NAMES}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH reached AS MATERIALIZED (
                SELECT *
                  FROM json_to_recordset(%(rows)s::json) AS reached (kind text, value text, contact_id uuid)
            ), moved AS MATERIALIZED (
                SELECT conversation.id, reached.contact_id
                  FROM reached
                  JOIN channel_account AS account
                    ON account.organization_id = %(organization)s
                   AND %(kinds)s::jsonb ->> account.connector = reached.kind
                  JOIN conversation
                    ON conversation.account_id = account.id AND conversation.address = reached.value
                 ORDER BY conversation.id
                   FOR NO KEY UPDATE OF conversation
            )
            UPDATE conversation SET contact_id = moved.contact_id FROM moved WHERE conversation.id = moved.id
            """,
            {
                "rows": orjson.dumps(reached).decode(),
                "organization": organization.id,
                "kinds": orjson.dumps(kinds).decode(),
            },
        )


def _complete(organization: Organization, said: Mapping[UUID, Mapping[str, str]]) -> None:
    """What nobody knew of people so far."""
    rows = [{"id": pk, **dict.fromkeys(_WORDS, ""), **words} for pk, words in said.items() if words]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH said AS MATERIALIZED (
                SELECT contact.id, said.name, said.language, said.time_zone
                  FROM json_to_recordset(%(rows)s::json)
                    AS said (id uuid, name text, language text, time_zone text)
                  JOIN contact ON contact.id = said.id AND contact.organization_id = %(organization)s
                 WHERE (contact.name = '' AND said.name <> '') OR (contact.language = '' AND said.language <> '')
                    OR (contact.time_zone = '' AND said.time_zone <> '')
                 ORDER BY contact.id
                   FOR NO KEY UPDATE OF contact
            )
            UPDATE contact
               SET name = coalesce(nullif(contact.name, ''), said.name),
                   language = coalesce(nullif(contact.language, ''), said.language),
                   time_zone = coalesce(nullif(contact.time_zone, ''), said.time_zone)
              FROM said
             WHERE contact.id = said.id
            """,
            {"rows": orjson.dumps(rows).decode(), "organization": organization.id},
        )
