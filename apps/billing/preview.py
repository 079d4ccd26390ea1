"""What would be sent of an invoice, or to a customer: when, over which channels, in which words, or why not.

The planner's decisions, and the words that the engine would find: nothing of it is decided here again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from apps.billing import ahead
from apps.billing.ahead import Foreseen
from apps.billing.dates import quiet
from apps.billing.models import Invoice, ReminderPolicy, ReminderRule, Touch
from apps.billing.models.invoice import UNPAID
from apps.billing.planner.batch import Batch
from apps.billing.planner.hand_over import NO_CHANNEL, message_for, ways_of
from apps.billing.reasons import sentence
from apps.channels.carrying import why_not
from apps.channels.content import Content
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core import clock
from apps.messaging import reply_window
from apps.messaging.consent.refusal import refusal
from apps.messaging.engine.new_message import WantedTemplate
from apps.messaging.models import Contact, Conversation
from apps.messaging.statuses import Category
from apps.messaging.wording.compose import Composed, Uncomposed, Wanted, compose

DAYS = 60
MOST_DAYS = 90
MOST_INVOICES = 200
MOST_MESSAGES = 200


@dataclass(frozen=True, slots=True)
class Way:
    """A channel account over which it would go."""

    account: ChannelAccount
    to: str
    # None where it cannot be said there.
    content: Content | None
    # Why it would not go there; empty where it would.
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    at: datetime
    # Once the hours of the channel allow it over which it goes first; None where it never would.
    leaves_at: datetime | None
    invoices: Sequence[Invoice]
    rule: ReminderRule | None
    # In the order in which they are tried.
    ways: Sequence[Way] = ()
    # Empty where it would be sent.
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    # Which the invoices follow. Of a customer's there may be several.
    policies: Sequence[ReminderPolicy]
    planned: Sequence[Planned]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A way before it is known what is said there."""

    account: ChannelAccount
    to: str
    template: WantedTemplate
    contact_id: UUID
    at: datetime


def of_invoice(invoice: Invoice, policy: ReminderPolicy | None = None, days: int = DAYS) -> Preview:
    """By the policies that are live; with one more, as if that went live now."""
    return _preview([invoice], policy, days)


def of_customer(contact: Contact, policy: ReminderPolicy | None = None, days: int = DAYS) -> Preview:
    """What is due together goes in one message, where the policy joins."""
    theirs = Invoice.across_organizations.filter(contact=contact, status__in=UNPAID)
    return _preview(list(theirs.order_by("-id")[:MOST_INVOICES]), policy, days)


def _preview(invoices: Sequence[Invoice], policy: ReminderPolicy | None, days: int) -> Preview:
    now = clock.now()
    known = ahead.read(invoices, now, policy)
    following = {live.policy.id: live.policy for each in invoices if (live := ahead.followed(known, each))}
    foreseen = sorted(ahead.foresee(known, now, now + timedelta(days=days)), key=lambda each: each.at)
    planned = _planned(known, foreseen[:MOST_MESSAGES])
    return Preview(list(following.values()), planned)


def _planned(known: Batch, foreseen: Sequence[Foreseen]) -> list[Planned]:
    asked = [_asked(each) for each in foreseen]
    flat = [way for ways in asked for way in ways]
    said = iter(_said(known, flat))
    return [
        _as_planned(known, each, [next(said) for _ in ways]) for each, ways in zip(foreseen, asked, strict=True)
    ]


def _asked(each: Foreseen) -> list[_Asked]:
    """As the planner would hand it over."""
    if each.known is None:
        return []
    ways = ways_of(each.known, each.together)
    if not ways:
        return []
    message = message_for(each.known, each.together, ways, Touch(), each.at)
    templates = [message.template, *(step.template for step in message.fallback)]
    return [
        _Asked(account, to, template, each.customer.contact.id, each.at)
        for (account, to), template in zip(ways, templates, strict=True)
        if template is not None
    ]


def _said(known: Batch, asked: Sequence[_Asked]) -> list[Way]:
    if not asked:
        return []
    (organization,) = known.organizations.values()
    composed = compose(
        organization,
        {
            n: Wanted(way.template, way.account.connector, way.contact_id, "template", Category.BILLING)
            for n, way in enumerate(asked)
        },
    )
    refused = _refused(organization.id, asked)
    wrote = _wrote(asked)
    return [
        _way(way, composed[n], refused.get(n, ""), wrote.get((way.account.id, way.to)))
        for n, way in enumerate(asked)
    ]


def _way(asked: _Asked, composed: Composed | Uncomposed, refused: str, wrote_at: datetime | None) -> Way:
    way = Way(asked.account, asked.to, None)
    if isinstance(composed, Uncomposed):
        return replace(way, code=composed.code, detail=composed.detail)
    content = composed.content
    way = replace(way, content=content)
    if refused:
        return replace(way, code=refused, detail=sentence(refused))
    wrong = why_not(connector_class(asked.account.connector).capabilities, content)
    if wrong is not None:
        return replace(way, code=wrong.code, detail=wrong.detail)
    if reply_window.is_over(asked.account, content, wrote_at, asked.at):
        return replace(way, code="outside_window", detail=sentence("outside_window"))
    return way


def _wrote(asked: Sequence[_Asked]) -> dict[tuple[UUID, str], datetime]:
    """When the customers last wrote there; in no statement where that does not matter."""
    kept = [way for way in asked if reply_window.of(way.account)]
    if not kept:
        return {}
    there = Conversation.across_organizations.filter(
        account__in={way.account.id for way in kept},
        address__in={way.to for way in kept},
        last_inbound_at__isnull=False,
    )
    wrote = there.values_list("account_id", "address", "last_inbound_at")
    return {(account, to): at for account, to, at in wrote if at is not None}


def _refused(organization_id: UUID, asked: Sequence[_Asked]) -> dict[int, str]:
    """Who does not want to be written to there, in one statement."""
    rows = [
        (
            n,
            way.contact_id,
            way.account.connector,
            connector_class(way.account.connector).capabilities.address,
            way.to,
        )
        for n, way in enumerate(asked)
    ]
    numbers, contacts, connectors, kinds, addresses = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _REFUSED,
            {
                "numbers": numbers,
                "contacts": contacts,
                "connectors": connectors,
                "kinds": [str(kind) for kind in kinds],
                "addresses": addresses,
                "organization": organization_id,
                "category": Category.BILLING.value,
            },
        )
        return dict(cursor.fetchall())


def _as_planned(known: Batch, each: Foreseen, ways: Sequence[Way]) -> Planned:
    if each.skipped is not None:
        invoice, occasion, reason = each.skipped.invoice, each.skipped.occasion, each.skipped.reason
        live = ahead.followed(known, invoice)
        rule = live.by_id.get(occasion.rule_id) if live else None
        return Planned(occasion.at, None, [invoice], rule, reason=reason, detail=sentence(reason))
    first = each.together[0]
    planned = Planned(
        each.at, each.at, [due.invoice for due in each.together], first.live.by_id[first.occasion.rule_id], ways
    )
    if not ways:
        return replace(planned, leaves_at=None, reason=NO_CHANNEL, detail=sentence(NO_CHANNEL))
    way = next((way for way in ways if not way.code), None)
    if way is None:
        return replace(planned, leaves_at=None, reason=ways[0].code, detail=ways[0].detail)
    hours = quiet.read(first.live.policy.quiet_hours)
    leaves_at = hours.allowed_from(each.at, each.customer.place, way.account.connector)
    if leaves_at is None:
        return replace(planned, leaves_at=None, reason="quiet", detail=sentence("quiet"))
    return replace(planned, leaves_at=leaves_at)


_REFUSED = f"""
SELECT n, why
  FROM (SELECT way.n, {refusal("way.connector", "way.kind", "way.address", "%(category)s::text")} AS why
          FROM unnest(%(numbers)s::int[], %(contacts)s::uuid[], %(connectors)s::text[], %(kinds)s::text[],
                      %(addresses)s::text[]) AS way (n, contact_id, connector, kind, address)
          JOIN contact ON contact.id = way.contact_id) AS asked
 WHERE why IS NOT NULL
"""  # noqa: S608 - of constants
