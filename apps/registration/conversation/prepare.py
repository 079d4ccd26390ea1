"""What must be known of messages before they are understood: what goes on there, and what was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.registration.conversation import memory
from apps.registration.conversation.claim import Claimed
from apps.registration.conversation.state import State
from apps.registration.definition import Definition, read
from apps.registration.models import FlowVersion, Registration, RegistrationFlow
from apps.registration.models import RegistrationState as Phase
from apps.registration.models.flow import LONGEST_KEYWORD
from apps.registration.understanding.reading import Asked
from apps.registration.understanding.rules.normalizing import compact


@dataclass(frozen=True, slots=True)
class Prepared:
    claimed: Claimed
    # What is going on; None where the message may start something.
    registration: Registration | None = None
    definition: Definition | None = None
    state: State | None = None
    # None where nobody need understand it.
    asked: Asked | None = None
    # That it may start by what the person wants, the first of them; or by its keyword, then at once.
    flow: RegistrationFlow | None = None
    is_keyword: bool = False

    @property
    def language(self) -> str:
        """In which mistakes are told."""
        if self.registration is not None:
            return self.registration.language
        if self.flow is None or self.flow.published is None:
            return ""
        return definition_of(self.flow.published).language_for(self.claimed.contact_language)


def prepare(claimed: Sequence[Claimed]) -> list[Prepared]:
    if not claimed:
        return []
    conversations = [each.conversation_id for each in claimed]
    running = {
        each.conversation_id: each
        for each in Registration.across_organizations.filter(conversation__in=conversations, ended_at=None)
        .select_related("version")
        .defer("confirmed")
    }
    definitions = {each.version_id: definition_of(each.version) for each in running.values()}
    states = memory.recall(list(running.values()), definitions)
    flows = _flows([each for each in claimed if each.conversation_id not in running])
    prepared = []
    for each in claimed:
        registration = running.get(each.conversation_id)
        if registration is None:
            prepared.append(_start(each, flows.get(each.account_id, ())))
        else:
            definition, state = definitions[registration.version_id], states[registration.id]
            prepared.append(Prepared(each, registration, definition, state, _asked(definition, state)))
    return prepared


def definition_of(version: FlowVersion) -> Definition:
    return read(version.definition)


def _flows(claimed: Sequence[Claimed]) -> Mapping[UUID, list[RegistrationFlow]]:
    """By account, in their order."""
    accounts = {each.account_id for each in claimed}
    if not accounts:
        return {}
    live = RegistrationFlow.across_organizations.filter(
        organization__in={each.organization_id for each in claimed}, is_live=True, accounts__overlap=list(accounts)
    )
    found: dict[UUID, list[RegistrationFlow]] = {account: [] for account in accounts}
    for flow in live.select_related("published").order_by("position", "id"):
        for account in accounts.intersection(flow.accounts):
            found[account].append(flow)
    return found


def _start(claimed: Claimed, flows: Sequence[RegistrationFlow]) -> Prepared:
    if not claimed.text or not flows:
        return Prepared(claimed)
    # What is longer is no keyword, whatever stands around it.
    written = compact(claimed.text) if len(claimed.text) <= 2 * LONGEST_KEYWORD else ""
    for flow in flows:
        if written and written in map(compact, flow.keywords):
            return Prepared(claimed, flow=flow, is_keyword=True)
    by_intent = next((flow for flow in flows if flow.starts_by_intent), None)
    return Prepared(claimed, flow=by_intent, asked=None if by_intent is None else Asked())


def _asked(definition: Definition, state: State) -> Asked | None:
    if state.phase is Phase.WITH_PERSON:
        return None
    if state.phase is Phase.CONSENT:
        return Asked(is_consent=True)
    question = definition.question(state.step) if state.phase is Phase.ASKING else None
    return Asked(question.kind, is_required=question.is_required) if question else Asked(is_summary=True)
