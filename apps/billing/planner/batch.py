"""All that a batch of due invoices needs, read in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.models import Organization
from apps.billing.dates.moments import Rule
from apps.billing.dates.places import Place, place_of
from apps.billing.models import Invoice, Reminder, ReminderPolicy, ReminderRule, Touch
from apps.billing.planner.decide import rule_of
from apps.channels.capabilities import AddressKind
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.messaging.models import Contact, ContactAddress, Template
from apps.messaging.wording.variables import declared_by

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Customer:
    contact: Contact
    # By kind.
    addresses: Mapping[str, str]
    place: Place
    # When they were written to, in the week before.
    touches: Sequence[datetime]

    def today(self, now: datetime) -> date:
        return now.astimezone(self.place.zone).date()

    def had(self, now: datetime) -> tuple[int, int]:
        """Messages on this day of theirs, and within the week before."""
        today = self.today(now)
        return sum(at.astimezone(self.place.zone).date() == today for at in self.touches), len(self.touches)


@dataclass(frozen=True, slots=True)
class LivePolicy:
    policy: ReminderPolicy
    rules: Sequence[Rule]
    by_id: Mapping[UUID, ReminderRule]
    # In the order in which they are tried.
    accounts: Sequence[ChannelAccount]


@dataclass(frozen=True, slots=True)
class Batch:
    invoices: Sequence[Invoice]
    customers: Mapping[UUID, Customer]
    organizations: Mapping[UUID, Organization]
    # Of an organization, in their order.
    policies: Mapping[UUID, Sequence[LivePolicy]]
    # What each invoice had already.
    done: Mapping[UUID, set[tuple[UUID, datetime]]] = field(default_factory=dict)
    # Variables that a template takes, by organization and name.
    variables: Mapping[tuple[UUID, str], frozenset[str]] = field(default_factory=dict)


def read(invoices: Sequence[Invoice], now: datetime) -> Batch:
    organization_ids = {invoice.organization_id for invoice in invoices}
    policies = policies_of(organization_ids)
    return Batch(
        invoices,
        customers_of({invoice.contact_id for invoice in invoices}, now),
        Organization.objects.in_bulk(organization_ids),
        policies,
        _done(invoices),
        variables_of(policies),
    )


def policies_of(organization_ids: set[UUID]) -> dict[UUID, list[LivePolicy]]:
    found = ReminderPolicy.across_organizations.filter(
        organization__in=organization_ids, live_since__isnull=False
    ).order_by("position", "id")
    rules: dict[UUID, list[ReminderRule]] = defaultdict(list)
    for rule in ReminderRule.across_organizations.filter(policy__in=found).order_by("offset", "id"):
        rules[rule.policy_id].append(rule)
    named = {account_id for policy in found for account_id in policy.accounts}
    accounts = ChannelAccount.across_organizations.in_bulk(named)
    live: dict[UUID, list[LivePolicy]] = defaultdict(list)
    for policy in found:
        theirs = rules[policy.id]
        live[policy.organization_id].append(
            LivePolicy(
                policy,
                [rule_of(rule) for rule in theirs],
                {rule.id: rule for rule in theirs},
                [
                    account
                    for account_id in policy.accounts
                    if (account := accounts.get(account_id)) is not None
                    and account.organization_id == policy.organization_id
                ],
            )
        )
    return live


def customers_of(contact_ids: set[UUID], now: datetime) -> dict[UUID, Customer]:
    addresses: dict[UUID, dict[str, str]] = defaultdict(dict)
    reached = ContactAddress.across_organizations.filter(contact__in=contact_ids).order_by("-id")
    for contact_id, kind, value in reached.values_list("contact_id", "kind", "value"):
        addresses[contact_id][kind] = value  # the oldest of a kind
    touches: dict[UUID, list[datetime]] = defaultdict(list)
    lately = Touch.across_organizations.filter(contact__in=contact_ids, created_at__gt=now - WEEK)
    for contact_id, at in lately.values_list("contact_id", "created_at"):
        touches[contact_id].append(at)
    return {
        contact.id: Customer(
            contact,
            addresses[contact.id],
            place_of(contact.time_zone, addresses[contact.id].get(AddressKind.PHONE, "")),
            touches[contact.id],
        )
        for contact in Contact.across_organizations.filter(pk__in=contact_ids)
    }


def _done(invoices: Sequence[Invoice]) -> dict[UUID, set[tuple[UUID, datetime]]]:
    done: dict[UUID, set[tuple[UUID, datetime]]] = defaultdict(set)
    had = Reminder.across_organizations.filter(
        invoice__in=[invoice.id for invoice in invoices], rule__isnull=False
    )
    for invoice_id, rule_id, occurrence in had.values_list("invoice_id", "rule_id", "occurrence"):
        done[invoice_id].add((rule_id, occurrence))
    return done


def variables_of(policies: Mapping[UUID, Sequence[LivePolicy]]) -> dict[tuple[UUID, str], frozenset[str]]:
    names = {
        name
        for theirs in policies.values()
        for live in theirs
        for rule in live.by_id.values()
        for name in (rule.template, *rule.channel_templates.values())
    }
    templates = Template.across_organizations.filter(
        organization__in=policies, name__in=names, archived_at=None, published__isnull=False
    ).select_related("published")
    return {
        (template.organization_id, template.name): frozenset(
            variable.name for variable in declared_by(template.published)
        )
        for template in templates
        if template.published is not None
    }


def address_at(customer: Customer, account: ChannelAccount) -> str:
    """Empty where they are not reached there, or do not want to be: then another channel comes first."""
    if account.connector in customer.contact.refused_channels:
        return ""
    return customer.addresses.get(connector_class(account.connector).capabilities.address, "")


def set_looks(looks: Mapping[UUID, datetime | None]) -> None:
    """When each invoice is looked at next, in one statement."""
    rows: list[Any] = list(looks.items())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminder_plan SET look_at = next.look_at
              FROM unnest(%s::uuid[], %s::timestamptz[]) AS next (invoice_id, look_at)
             WHERE reminder_plan.invoice_id = next.invoice_id
            """,
            [[invoice_id for invoice_id, _ in rows], [at for _, at in rows]],
        )
