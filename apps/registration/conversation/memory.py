"""Where conversations stand, in Redis for a while: encrypted, for it is personal data.

Redis may forget any of it at any time; then it is thought over again from what was heard. What it remembers is
believed only for the turn that the database is at.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
import structlog

from apps.core.encryption import UnreadableSecret, keyring
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client
from apps.registration.conversation import advance, heard, state
from apps.registration.conversation.state import State
from apps.registration.definition import Definition
from apps.registration.models import Registration, StartedBy, Turn

logger = structlog.get_logger(__name__)

SECONDS = 24 * 3600


def recall(registrations: Sequence[Registration], definitions: Mapping[UUID, Definition]) -> dict[UUID, State]:
    """`definitions` by version."""
    known = _remembered(registrations)
    forgotten = [each for each in registrations if each.id not in known]
    return known | _thought_over(forgotten, definitions)


def remember(states: Sequence[tuple[Registration, State]]) -> None:
    """Those that have ended are forgotten."""
    if is_left_alone() or not states:
        return
    pipeline = redis_client().pipeline(transaction=False)
    for registration, where in states:
        if registration.is_running:
            stored = keyring().encrypt(f"{registration.turns}:{state.as_text(where)}")
            pipeline.set(_key(registration), stored, ex=SECONDS)
        else:
            pipeline.delete(_key(registration))
    try:
        pipeline.execute()
    except RedisError as error:
        leave_alone()
        logger.warning("registration_not_remembered", reason=type(error).__name__)


def _remembered(registrations: Sequence[Registration]) -> dict[UUID, State]:
    if not registrations or is_left_alone():
        return {}
    try:
        found = redis_client().mget([_key(each) for each in registrations])
    except RedisError as error:
        leave_alone()
        logger.warning("registration_not_recalled", reason=type(error).__name__)
        return {}
    known = {}
    for registration, stored in zip(registrations, found, strict=True):
        where = _read(registration, stored)
        if where is not None:
            known[registration.id] = where
    return known


def _read(registration: Registration, stored: bytes | str | None) -> State | None:
    if stored is None:
        return None
    try:
        turns, _, text = keyring().decrypt(stored.decode() if isinstance(stored, bytes) else stored).partition(":")
        return state.from_text(text) if int(turns) == registration.turns else None
    except (UnreadableSecret, ValueError, KeyError, TypeError):
        return None


def _thought_over(
    registrations: Sequence[Registration], definitions: Mapping[UUID, Definition]
) -> dict[UUID, State]:
    """From what was heard, which comes to the same each time."""
    if not registrations:
        return {}
    turns: dict[UUID, list[heard.Heard]] = {each.id: [] for each in registrations}
    kept = Turn.across_organizations.filter(registration__in=registrations).order_by("registration", "number")
    for registration_id, text in kept.values_list("registration_id", "heard"):
        turns[registration_id].append(heard.from_text(text))
    return {each.id: _think_over(each, definitions[each.version_id], turns[each.id]) for each in registrations}


def _think_over(registration: Registration, definition: Definition, turns: list[heard.Heard]) -> State:
    return advance.think_over(definition, _begun(registration, definition, turns), turns)


def _begun(registration: Registration, definition: Definition, turns: list[heard.Heard]) -> State:
    if registration.started_by == StartedBy.INVITATION:
        return advance.invite()
    # An application began without a word of the person's.
    first = heard.Heard() if registration.started_by == StartedBy.API else turns.pop(0)
    known = orjson.loads(registration.opening) if registration.opening else None
    return advance.begin(definition, first, known).state


def _key(registration: Registration) -> str:
    return f"recado:registration:{registration.id}"
