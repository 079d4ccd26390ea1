"""What follows from messages, all at once: in the transaction in which they are crossed off.

Whoever dies before it ends has done nothing, and the messages are heard again when the lease is over.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Self
from uuid import UUID

import orjson
import structlog
from django.db import transaction

from apps.accounts.models import Organization
from apps.core import clock, errands
from apps.core.deadlocks import tried_again
from apps.messaging import labels
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage, Refused
from apps.messaging.models import Conversation
from apps.registration.applying.apply import TASK as APPLY
from apps.registration.conversation import advance, claim, memory
from apps.registration.conversation.claim import hold
from apps.registration.conversation.heard import Heard, as_text
from apps.registration.conversation.known import Known, known_of
from apps.registration.conversation.prepare import Prepared, definition_of
from apps.registration.conversation.say import say
from apps.registration.conversation.state import State, Step
from apps.registration.conversation.team import LABEL_COLOR, label_name
from apps.registration.definition import Definition
from apps.registration.models import RUNNING, Registration, StartedBy, Turn
from apps.registration.models import RegistrationState as Phase
from apps.registration.understanding.reading import Intent

logger = structlog.get_logger(__name__)

# By talk.
type Hearings = Mapping[UUID, Heard]

# What makes somebody begin, where nothing is going on.
STARTING = (Intent.REGISTER, Intent.UPDATE, Intent.CORRECT)
# Nobody needs as many; a machine that answers a machine does.
MOST_TURNS = 200


class NotSaid(Exception):
    """What was to be said in these conversations cannot be sent, so nothing may follow from it."""

    def __init__(self, conversations: Collection[UUID]) -> None:
        super().__init__(f"{len(conversations)} answers were refused")
        self.conversations = conversations


@dataclass(slots=True)
class Settled:
    """What is to be written of a batch."""

    new: list[Registration] = field(default_factory=list)
    changed: list[Registration] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    states: list[tuple[Registration, State]] = field(default_factory=list)
    says: dict[UUID, list[NewMessage]] = field(default_factory=lambda: defaultdict(list))
    # Conversations for a person of the team, by organization.
    handed_over: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))


def settle(prepared: Sequence[Prepared], heard: Hearings) -> None:
    """Whoever cannot be answered is for a person of the team: no yes to what was never shown counts."""
    unanswerable: set[UUID] = set()
    while True:
        try:
            return _settle_all(prepared, heard, unanswerable)
        except NotSaid as refused:
            # Nothing is said there the next time, so it ends.
            unanswerable |= set(refused.conversations)


@tried_again
@transaction.atomic
def _settle_all(prepared: Sequence[Prepared], heard: Hearings, unanswerable: Collection[UUID]) -> None:
    claimed = [each.claimed for each in prepared]
    hold(each.conversation_id for each in claimed)
    held = claim.held(claimed)
    ours = [each for each in prepared if each.claimed.talk_id in held]
    there = _There.of([each.claimed.conversation_id for each in ours], unanswerable)
    known = known_of([each for each in ours if _starts(each, heard)])
    settled = Settled()
    done = {each.claimed.talk_id for each in ours if _settle(settled, each, heard, there, known)}
    write(settled)
    claim.release([each.claimed for each in ours], done)


def write(settled: Settled) -> None:
    """Raises NotSaid, and then has written nothing that stays."""
    Registration.across_organizations.bulk_create(settled.new)
    Registration.across_organizations.bulk_update(settled.changed, _CHANGING)
    Turn.across_organizations.bulk_create(settled.turns)
    ended = [registration for registration, _state in settled.states if not registration.is_running]
    # It is never thought over again, and what was confirmed is on its way to the vault.
    Turn.across_organizations.filter(registration__in=ended).update(heard="")
    organizations = Organization.objects.in_bulk(settled.says.keys() | settled.handed_over.keys())
    refused = set()
    for organization_id, says in settled.says.items():
        for said, answer in zip(says, accept(organizations[organization_id], says), strict=True):
            if isinstance(answer, Refused) and said.conversation_id is not None:
                logger.warning("registration_not_answered", reason=answer.code)
                refused.add(said.conversation_id)
    if refused:
        raise NotSaid(refused)
    for organization_id, conversations in settled.handed_over.items():
        labels.mark(organizations[organization_id], conversations, label_name(), LABEL_COLOR)
    transaction.on_commit(partial(memory.remember, settled.states))
    for registration, _state in settled.states:
        if registration.state == Phase.COMPLETED:
            errands.start_on_commit(APPLY, registration.id)


def follow(settled: Settled, registration: Registration, definition: Definition, step: Step) -> None:
    """The registration is where the step leads to, and the person is told."""
    now = clock.now()
    before, state = registration.state, step.state
    registration.state, registration.changed_at = state.phase, now
    # Where it ended is where it was.
    registration.step = state.place if state.phase in RUNNING else registration.step
    registration.reminded_at = None
    registration.look_at = _look_at(registration, now)
    if state.phase not in RUNNING:
        registration.ended_at, registration.look_at, registration.opening = now, None, ""
    if state.phase is Phase.COMPLETED:
        registration.confirmed = orjson.dumps(dict(state.values)).decode()
    if state.phase is Phase.WITH_PERSON and before != Phase.WITH_PERSON:
        settled.handed_over[registration.organization_id].append(registration.conversation_id)
    text = say(definition, registration.language, state, step.says)
    if text:
        settled.says[registration.organization_id].append(
            NewMessage(text, conversation_id=registration.conversation_id)
        )
    settled.states.append((registration, state))


@dataclass(frozen=True, slots=True)
class _There:
    """How it is in the conversations now that nobody else can change them."""

    running: Mapping[UUID, Registration]
    contacts: Mapping[UUID, UUID]
    unanswerable: Collection[UUID]

    @classmethod
    def of(cls, conversation_ids: Collection[UUID], unanswerable: Collection[UUID]) -> Self:
        rows = Registration.across_organizations.filter(conversation__in=conversation_ids, ended_at=None)
        found = rows.select_related("flow").order_by("pk").select_for_update(no_key=True, of=("self",))
        contacts = Conversation.across_organizations.filter(pk__in=conversation_ids)
        return cls(
            {each.conversation_id: each for each in found},
            dict(contacts.values_list("pk", "contact_id")),
            unanswerable,
        )


def _settle(
    settled: Settled, each: Prepared, hearings: Hearings, there: _There, known: Mapping[UUID, Known]
) -> bool:
    """False where something else happened to the conversation meanwhile: then it is heard anew."""
    claimed = each.claimed
    heard = hearings.get(claimed.talk_id)
    registration = there.running.get(claimed.conversation_id)
    can_answer = claimed.conversation_id not in there.unanswerable
    if each.registration is None:
        if registration is not None or there.contacts.get(claimed.conversation_id) != claimed.contact_id:
            return False
        knows = known.get(claimed.contact_id)
        if not _starts(each, hearings) or (knows is None and _corrects(each, heard)):
            return True
        if can_answer:
            _begin(settled, each, heard or Heard(Intent.REGISTER), knows)
        else:
            settled.handed_over[claimed.organization_id].append(claimed.conversation_id)
        return True
    if registration is None or (registration.id, registration.turns) != (
        each.registration.id,
        each.registration.turns,
    ):
        return False
    assert each.definition is not None
    assert each.state is not None
    # Nobody need understand what is written to a person of the team. It is noted down to be redacted some day.
    heard = heard or Heard()
    if registration.turns >= MOST_TURNS:
        heard = Heard(Intent.HUMAN)
    step = advance.advance(each.definition, each.state, heard)
    if not can_answer:
        if step.state.phase in RUNNING:
            heard = Heard(Intent.HUMAN)
            step = advance.advance(each.definition, each.state, heard)
        step = Step(step.state)
    follow(settled, registration, each.definition, step)
    _note(settled, registration, each, heard)
    settled.changed.append(registration)
    return True


def _starts(each: Prepared, hearings: Hearings) -> bool:
    if each.registration is not None or each.flow is None:
        return False
    heard = hearings.get(each.claimed.talk_id)
    return each.is_keyword or (heard is not None and heard.intent in STARTING)


def _corrects(each: Prepared, heard: Heard | None) -> bool:
    """Something is wrong: of whoever told nothing here, that is no registration."""
    return not each.is_keyword and heard is not None and heard.intent is Intent.CORRECT


def _begin(settled: Settled, each: Prepared, heard: Heard, known: Known | None) -> None:
    flow, claimed, now = each.flow, each.claimed, clock.now()
    assert flow is not None
    assert flow.published is not None
    definition = definition_of(flow.published)
    registration = Registration(
        organization_id=claimed.organization_id,
        flow=flow,
        version=flow.published,
        conversation_id=claimed.conversation_id,
        contact_id=claimed.contact_id,
        language=definition.language_for(claimed.contact_language),
        is_update=bool(known),
        started_by=StartedBy.KEYWORD if each.is_keyword else StartedBy.INTENT,
        opening=orjson.dumps(known).decode() if known else "",
        started_at=now,
    )
    follow(settled, registration, definition, advance.begin(definition, heard, known))
    _note(settled, registration, each, heard)
    settled.new.append(registration)


def _note(settled: Settled, registration: Registration, each: Prepared, heard: Heard) -> None:
    registration.turns += 1
    settled.turns.append(
        Turn(
            organization_id=registration.organization_id,
            registration=registration,
            number=registration.turns,
            message_id=each.claimed.message_id,
            heard=as_text(heard),
            at=clock.now(),
        )
    )


def _look_at(registration: Registration, now: datetime) -> datetime | None:
    if registration.state == Phase.WITH_PERSON:
        return None
    return now + timedelta(minutes=registration.flow.remind_after)


_CHANGING = (
    "state", "step", "turns", "opening", "confirmed", "look_at", "reminded_at", "changed_at", "ended_at",
)  # fmt: skip
