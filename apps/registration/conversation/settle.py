"""What follows from messages, all at once: in the transaction in which they are crossed off.

Whoever dies before it ends has done nothing, and the messages are heard again when the lease is over.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from apps.accounts.models import Organization
from apps.core import clock, errands
from apps.core.deadlocks import tried_again
from apps.messaging import labels
from apps.messaging.conversations import lock
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage, Refused
from apps.messaging.models import Conversation
from apps.registration.applying.apply import TASK as APPLY
from apps.registration.conversation import advance, claim, memory
from apps.registration.conversation.heard import Heard, as_text, checked
from apps.registration.conversation.known import known_of
from apps.registration.conversation.prepare import Prepared, definition_of
from apps.registration.conversation.say import say
from apps.registration.conversation.state import State, Step
from apps.registration.definition import Definition
from apps.registration.models import RUNNING, Registration, StartedBy, Turn
from apps.registration.models import RegistrationState as Phase
from apps.registration.understanding.reading import Intent, Reading

logger = structlog.get_logger(__name__)

# By talk.
type Readings = Mapping[UUID, Reading]

# What makes somebody begin, where nothing is going on.
STARTING = (Intent.REGISTER, Intent.UPDATE, Intent.CORRECT)
LABEL_COLOR = "#b45309"


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


@tried_again
@transaction.atomic
def settle(prepared: Sequence[Prepared], read: Readings) -> None:
    claimed = [each.claimed for each in prepared]
    hold(each.conversation_id for each in claimed)
    held = claim.held(claimed)
    ours = [each for each in prepared if each.claimed.talk_id in held]
    current = _as_they_are([each.claimed.conversation_id for each in ours])
    known = known_of([each.claimed for each in ours if _starts(each, read)])
    settled = Settled()
    heard = set()
    for each in ours:
        if _settle(settled, each, read, current, known.get(each.claimed.contact_id)):
            heard.add(each.claimed.talk_id)
    write(settled)
    claim.release([each.claimed for each in ours], heard)


@transaction.atomic
def give_up(prepared: Prepared) -> None:
    """A message that cannot be worked on: crossed off, and shown to the team."""
    claimed = prepared.claimed
    hold([claimed.conversation_id])
    if claim.held([claimed]):
        organization = Organization.objects.get(pk=claimed.organization_id)
        labels.mark(organization, [claimed.conversation_id], label_name(), LABEL_COLOR)
        claim.release([claimed], {claimed.talk_id})


def hold(conversation_ids: Iterable[UUID]) -> None:
    """Before anything else, as whoever writes down what people wrote does: conversations, talks, registrations."""
    lock(Conversation.across_organizations.filter(pk__in=list(conversation_ids)))


def write(settled: Settled) -> None:
    Registration.across_organizations.bulk_create(settled.new)
    Registration.across_organizations.bulk_update(settled.changed, _CHANGING)
    Turn.across_organizations.bulk_create(settled.turns)
    ended = [registration for registration, _state in settled.states if not registration.is_running]
    # It is never thought over again, and what was confirmed is on its way to the vault.
    Turn.across_organizations.filter(registration__in=ended).update(heard="")
    organizations = Organization.objects.in_bulk(settled.says.keys() | settled.handed_over.keys())
    for organization_id, says in settled.says.items():
        for answer in accept(organizations[organization_id], says):
            if isinstance(answer, Refused):
                logger.warning("registration_not_answered", reason=answer.code)
    for organization_id, conversations in settled.handed_over.items():
        labels.mark(organizations[organization_id], conversations, label_name(), LABEL_COLOR)
    transaction.on_commit(partial(memory.remember, settled.states))
    for registration, _state in settled.states:
        if registration.state == Phase.COMPLETED:
            errands.start_on_commit(APPLY, registration.id)


def label_name() -> str:
    """By which a conversation is found in the inbox: in the language of the installation."""
    with translation.override(settings.LANGUAGE_CODE):
        return gettext("Registration")


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


def _settle(
    settled: Settled,
    each: Prepared,
    read: Readings,
    current: Mapping[UUID, Registration],
    known: Mapping[str, str] | None,
) -> bool:
    """False where something else happened to the conversation meanwhile: then it is heard anew."""
    reading = read.get(each.claimed.talk_id)
    registration = current.get(each.claimed.conversation_id)
    if each.registration is None:
        if registration is not None:
            return False
        if _starts(each, read):
            _begin(settled, each, reading or Reading(Intent.REGISTER), known)
        return True
    if registration is None or (registration.id, registration.turns) != (
        each.registration.id,
        each.registration.turns,
    ):
        return False
    if reading is None or each.state is None or each.definition is None:  # a person has it
        return True
    heard = checked(reading, registration.language)
    follow(settled, registration, each.definition, advance.advance(each.definition, each.state, heard))
    _note(settled, registration, each, heard)
    settled.changed.append(registration)
    return True


def _starts(each: Prepared, read: Readings) -> bool:
    if each.registration is not None or each.flow is None:
        return False
    reading = read.get(each.claimed.talk_id)
    return each.is_keyword or (reading is not None and reading.intent in STARTING)


def _begin(settled: Settled, each: Prepared, reading: Reading, known: Mapping[str, str] | None) -> None:
    flow, claimed, now = each.flow, each.claimed, clock.now()
    assert flow is not None
    assert flow.published is not None
    definition = definition_of(flow.published)
    asked = {question.key for question in definition.questions}
    opening = {key: value for key, value in known.items() if key in asked} if known else None
    registration = Registration(
        organization_id=claimed.organization_id,
        flow=flow,
        version=flow.published,
        conversation_id=claimed.conversation_id,
        contact_id=claimed.contact_id,
        language=definition.language_for(claimed.contact_language),
        is_update=bool(opening),
        started_by=StartedBy.KEYWORD if each.is_keyword else StartedBy.INTENT,
        opening=orjson.dumps(opening).decode() if opening else "",
        started_at=now,
    )
    heard = checked(reading, registration.language)
    follow(settled, registration, definition, advance.begin(definition, heard, opening or None))
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


def _as_they_are(conversation_ids: Collection[UUID]) -> dict[UUID, Registration]:
    """What runs in these conversations, as nobody else can change it now."""
    rows = Registration.across_organizations.filter(conversation__in=conversation_ids, ended_at=None)
    found = rows.select_related("flow").order_by("pk").select_for_update(no_key=True, of=("self",))
    return {each.conversation_id: each for each in found}


_CHANGING = (
    "state", "step", "turns", "opening", "confirmed", "look_at", "reminded_at", "changed_at", "ended_at",
)  # fmt: skip
