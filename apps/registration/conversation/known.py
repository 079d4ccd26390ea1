"""What the vault knows of people who write: so that they correct it, and are not asked for it again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM
from apps.registration.conversation.prepare import Prepared, definition_of
from apps.registration.models import FlowVersion, Registration, RegistrationFlow, RegistrationState
from apps.registration.vault import people

REASON = "the person registers, or corrects their data"

type Known = Mapping[str, str]


def known_of(starting: Sequence[Prepared]) -> dict[UUID, Known]:
    """By contact, what this flow asked before. Who agreed to another flow, or other words, is a stranger."""
    contacts: dict[RegistrationFlow, set[UUID]] = defaultdict(set)
    for each in starting:
        if each.flow is not None:
            contacts[each.flow].add(each.claimed.contact_id)
    known: dict[UUID, Known] = {}
    organizations = Organization.objects.in_bulk({flow.organization_id for flow in contacts})
    for flow, agreed in _agreed(contacts).items():
        assert flow.published is not None
        fields = {question.key for question in definition_of(flow.published).questions}
        organization = organizations[flow.organization_id]
        ids = list(people.of_contacts(organization, agreed).values())
        for record in people.read_many(organization, ids, actor=SYSTEM, reason=REASON, fields=fields):
            values = {name: field.value for name, field in record.values.items()}
            if record.contact_id is not None and values:
                known[record.contact_id] = values
    return known


def _agreed(contacts: Mapping[RegistrationFlow, set[UUID]]) -> dict[RegistrationFlow, list[UUID]]:
    """Those who completed this flow, and agreed then to what it says now."""
    if not contacts:
        return {}
    completed = Registration.across_organizations.filter(
        contact__in=set().union(*contacts.values()),
        flow__in=[flow.pk for flow in contacts],
        state=RegistrationState.COMPLETED,
    )
    latest = completed.order_by("contact", "flow", "-ended_at").distinct("contact", "flow")
    by_flow = {flow.pk: flow for flow in contacts}
    agreed: dict[RegistrationFlow, list[UUID]] = defaultdict(list)
    for each in latest.select_related("version").defer("opening", "confirmed"):
        flow = by_flow[each.flow_id]
        assert flow.published is not None
        if each.contact_id in contacts[flow] and _says_the_same(each.version, flow.published, each.language):
            agreed[flow].append(each.contact_id)
    return agreed


def _says_the_same(before: FlowVersion, now: FlowVersion, language: str) -> bool:
    if before.pk == now.pk:
        return True
    return definition_of(before).text("consent", language) == definition_of(now).text("consent", language)


def follow_merged(organization: Organization, merged_id: UUID, into_id: UUID, **_: Any) -> None:
    people.follow_merged(organization, merged_id, into_id)
