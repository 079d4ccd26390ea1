"""Where a message belongs: the conversation between a channel account and a person, opened where there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.barred import bar
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.channels.models import ChannelAccount
from apps.channels.registry import NAMES, connector_class
from apps.core import clock
from apps.core.ids import new_id
from apps.core.prepared import prepared_cursor
from apps.messaging.consent import suppressions
from apps.messaging.consent.refusal import refusal
from apps.messaging.models import ContactAddress, Conversation
from apps.messaging.statuses import Category

# Somebody else may open the same conversation at the same moment; once they have committed, it is found.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """Either an account and an address, or a conversation."""

    account_id: UUID | None
    to: str | None
    conversation_id: UUID | None
    category: str = Category.TRANSACTIONAL


@dataclass(frozen=True, slots=True)
class Place:
    conversation_id: UUID
    account_id: UUID
    connector: str
    ordering: str
    daily_quota: int | None
    address: str
    is_closed: bool
    keeps_reply_window: bool
    last_inbound_at: datetime | None
    contact_id: UUID
    # Why the person is not written to, in a word; None where they are.
    refusal: str | None
    # Why the account takes nothing new, and until when, where somebody drains it.
    drain_reason: str | None = None
    draining_until: datetime | None = None
    # Of the account, for all.
    rate_per_second: float = 1.0

    def is_draining(self, now: datetime) -> bool:
        return self.drain_reason is not None and (self.draining_until is None or self.draining_until > now)


@dataclass(frozen=True, slots=True)
class Unplaced:
    field: str
    code: str
    detail: str
    # Seconds after which there may be a place.
    retry_after: float | None = None


def find_or_open(
    organization: Organization, wishes: Sequence[Wish], *, is_sending: bool = False
) -> list[Place | Unplaced]:
    """One statement where all are known. Writing to somebody whose conversation is closed opens it again.

    Sending, there is no place where the organization accepts nothing. That is read in the same statement, for the
    object at hand may be old.

    A single one is locked on the way. Many are not, for they would be locked in no order: see engine/order.py.
    """
    places: dict[int, Place | Unplaced] = {}
    missing = dict(enumerate(wishes))
    for is_last in [False] * _ROUNDS + [True]:
        found = _find(organization, missing, is_single=len(wishes) == 1, is_sending=is_sending)
        to_open: dict[tuple[UUID, str], dict[str, object]] = {}
        for n, wish in missing.items():
            row = found.get(n)
            if row is None:
                places[n] = _unknown(wish)
            elif isinstance(row, Place | Unplaced):
                places[n] = row
            elif not addresses.is_possible(row.kind, row.address):
                places[n] = _bad_address(row.kind)
            else:
                to_open[row.account_id, row.address] = {"account_id": row.account_id, "kind": row.kind,
                                                        "address": row.address}  # fmt: skip
        missing = {n: wish for n, wish in missing.items() if n not in places}
        if not missing:
            break
        if is_last:
            raise RuntimeError("conversations that were opened are not found")
        _open(organization, list(to_open.values()))
    _reopen(wishes, places)
    return [places[n] for n in range(len(wishes))]


@dataclass(frozen=True, slots=True)
class _Unopened:
    account_id: UUID
    kind: AddressKind
    address: str


def _find(
    organization: Organization, wishes: Mapping[int, Wish], *, is_single: bool, is_sending: bool
) -> dict[int, Place | Unplaced | _Unopened]:
    rows = [
        {
            "n": n,
            "account_id": wish.account_id,
            "address": None if wish.to is None else addresses.normalized(wish.to),
            "conversation_id": wish.conversation_id,
            "category": wish.category,
        }
        for n, wish in wishes.items()
    ]
    with prepared_cursor() as cursor:
        cursor.execute(
            _FIND_AND_LOCK if is_single else _FIND,
            {"rows": orjson.dumps(rows).decode(), "organization": organization.id, "kinds": _kinds()},
        )
        found: dict[int, Place | Unplaced | _Unopened] = {}
        for n, suspended_at, suspend_reason, quota_reached_at, *row in cursor.fetchall():
            barred = bar(suspended_at, suspend_reason, quota_reached_at) if is_sending else None
            conversation_id, account_id, connector, *rest = row
            if barred is not None:
                found[n] = Unplaced("", barred.code, barred.detail, barred.retry_after)
            elif conversation_id is None:
                kind = connector_class(connector).capabilities.address
                found[n] = _Unopened(account_id, kind, address=rest[2])
            else:
                found[n] = Place(conversation_id, account_id, connector, *rest)
        return found


def _kinds() -> str:
    """By which kind of address each connector reaches people."""
    return orjson.dumps({name: connector_class(name).capabilities.address for name in NAMES}).decode()


# LATERAL, and one row each: so every wish is a look-up in an index, whatever the planner thinks of the tables.
_FIND = f"""
SELECT wanted.n, owner.suspended_at, owner.suspend_reason, owner.quota_reached_at,
       coalesce(named.id, known.id), account.id, account.connector, account.ordering,
       account.daily_quota, coalesce(named.address, wanted.address),
       coalesce(named.closed_at, known.closed_at) IS NOT NULL, account.reply_window = 'enforced',
       coalesce(named.last_inbound_at, known.last_inbound_at), contact.id,
       {refusal("account.connector", "reached.kind", "reached.address", "wanted.category")},
       CASE WHEN account.draining_at IS NOT NULL THEN account.drain_reason END, account.draining_until,
       account.rate_per_second
  FROM json_to_recordset(%(rows)s::json) AS wanted (
       n int, account_id uuid, address text, conversation_id uuid, category text)
  CROSS JOIN (SELECT suspended_at, suspend_reason, quota_reached_at
                FROM organization
               WHERE id = %(organization)s) AS owner
  LEFT JOIN LATERAL (SELECT id, account_id, contact_id, address, closed_at, last_inbound_at
                       FROM conversation
                      WHERE id = wanted.conversation_id AND organization_id = %(organization)s
                      LIMIT 1) AS named ON true
  JOIN LATERAL (SELECT id, connector, ordering, daily_quota, reply_window, draining_at, draining_until,
                       drain_reason, rate_per_second
                  FROM channel_account
                 WHERE id = coalesce(named.account_id, wanted.account_id) AND organization_id = %(organization)s
                 LIMIT 1) AS account ON true
  CROSS JOIN LATERAL (SELECT %(kinds)s::jsonb ->> account.connector AS kind,
                             coalesce(named.address, wanted.address) AS address) AS reached
  LEFT JOIN LATERAL (SELECT id, contact_id, closed_at, last_inbound_at
                       FROM conversation
                      WHERE account_id = account.id AND address = wanted.address AND named.id IS NULL
                      LIMIT 1) AS known ON true
  LEFT JOIN LATERAL (SELECT *
                       FROM contact
                      WHERE id = coalesce(named.contact_id, known.contact_id)
                      LIMIT 1) AS contact ON true
"""  # noqa: S608 - of constants
_FIND_AND_LOCK = _FIND.replace("LIMIT 1) AS named", "LIMIT 1 FOR NO KEY UPDATE) AS named").replace(
    "LIMIT 1) AS known", "LIMIT 1 FOR NO KEY UPDATE) AS known"
)


def _open(organization: Organization, wanted: Sequence[Mapping[str, object]]) -> None:
    """In the order of the addresses, or two batches with the same new people would wait for each other."""
    rows = [{**row, "contact_id": new_id(), "address_id": new_id(), "conversation_id": new_id()} for row in wanted]
    with prepared_cursor() as cursor:
        cursor.execute(
            _OPEN,
            {"rows": orjson.dumps(rows).decode(), "organization": organization.id, "now": clock.now()},
        )


_OPEN = """
WITH wanted AS MATERIALIZED (
    SELECT *
      FROM json_to_recordset(%(rows)s::json) AS wanted (
           account_id uuid, kind text, address text, contact_id uuid, address_id uuid, conversation_id uuid)
), new_address AS (
    INSERT INTO contact_address (id, organization_id, contact_id, kind, value)
    SELECT DISTINCT ON (kind, address) address_id, %(organization)s::uuid, contact_id, kind, address
      FROM wanted
     ORDER BY kind, address
    ON CONFLICT (organization_id, kind, value) DO NOTHING
    RETURNING contact_id, kind, value
), new_contact AS (
    INSERT INTO contact (id, organization_id, name, created_at)
    SELECT contact_id, %(organization)s, '', %(now)s FROM new_address
), known_address AS (
    -- Whoever merges two contacts is waited for, and then waits for us: the conversation is with who remains.
    SELECT known.contact_id, known.kind, known.value
      FROM contact_address AS known JOIN wanted ON known.kind = wanted.kind AND known.value = wanted.address
     WHERE known.organization_id = %(organization)s
     ORDER BY known.kind, known.value
       FOR SHARE OF known
), reached AS (
    SELECT contact_id, kind, value FROM new_address
     UNION ALL
    SELECT contact_id, kind, value FROM known_address
)
INSERT INTO conversation (id, organization_id, account_id, contact_id, address, created_at)
SELECT DISTINCT ON (wanted.account_id, wanted.address)
       wanted.conversation_id, %(organization)s::uuid, wanted.account_id, reached.contact_id, wanted.address,
       %(now)s::timestamptz
  FROM wanted JOIN reached ON reached.kind = wanted.kind AND reached.value = wanted.address
 ORDER BY wanted.account_id, wanted.address
ON CONFLICT (account_id, address) DO NOTHING
"""


def _reopen(wishes: Sequence[Wish], places: Mapping[int, Place | Unplaced]) -> None:
    closed = [
        place.conversation_id
        for n, place in places.items()
        if isinstance(place, Place) and place.is_closed and wishes[n].conversation_id is None
    ]
    if closed:
        Conversation.across_organizations.filter(pk__in=closed).update(closed_at=None)


def _unknown(wish: Wish) -> Unplaced:
    if wish.conversation_id is not None:
        return Unplaced("conversation_id", "unknown_conversation", _("There is no such conversation."))
    return Unplaced("account_id", "unknown_account", _("There is no such channel account."))


def _bad_address(kind: AddressKind) -> Unplaced:
    return Unplaced("to", "bad_address", addresses.what_is_wrong(kind))


def move(account: ChannelAccount, old: str, new: str) -> None:
    """The person is reached at another address of the same kind from now on: a group that became larger, say."""
    old, new = addresses.normalized(old), addresses.normalized(new)
    kind = connector_class(account.connector).capabilities.address
    if not addresses.is_possible(kind, new):
        return
    organization = account.organization_id
    ContactAddress.across_organizations.filter(organization=organization, kind=kind, value=old).exclude(
        Exists(ContactAddress.across_organizations.filter(organization=organization, kind=kind, value=new))
    ).update(value=new)
    Conversation.across_organizations.filter(account=account, address=old).exclude(
        Exists(Conversation.across_organizations.filter(account=account, address=new))
    ).update(address=new)
    suppressions.follow(organization, kind, old, new)


def lock(conversations: QuerySet[Conversation]) -> list[UUID]:
    """Which they are. In the order in which everybody locks them: see engine/order.py."""
    ordered = conversations.order_by("pk").select_for_update(no_key=True)
    return list(ordered.values_list("pk", flat=True))


@transaction.atomic
def close(principal: Principal, conversation: Conversation) -> Conversation:
    """Nobody writes into it by mistake any more. What waits in it is still sent."""
    if conversation.closed_at is None:
        _set_closed_at(principal, conversation, clock.now(), "conversation.closed")
    return conversation


@transaction.atomic
def reopen(principal: Principal, conversation: Conversation) -> Conversation:
    if conversation.closed_at is not None:
        _set_closed_at(principal, conversation, None, "conversation.reopened")
    return conversation


def _set_closed_at(
    principal: Principal, conversation: Conversation, closed_at: datetime | None, action: str
) -> None:
    before, conversation.closed_at = conversation.closed_at, closed_at
    conversation.save(update_fields=["closed_at"])
    audit.record(
        principal.actor,
        action,
        conversation,
        organization=principal.organization,
        changes={"closed_at": (before, closed_at)},
    )


def has_any(organization: Organization) -> bool:
    return Conversation.objects.for_organization(organization).exists()


def existing(wanted: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Of pairs of an organization and a conversation, those that are. For many organizations in one query."""
    ids = {conversation_id for _, conversation_id in wanted}
    found = Conversation.across_organizations.filter(pk__in=ids).values_list("organization_id", "pk")
    return set(found) & set(wanted)
