"""Where a conversation stands, and what is said next. Values are personal data: no `repr` shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from apps.registration.definition import CONSENT, SUMMARY
from apps.registration.kinds import Kind
from apps.registration.models import RegistrationState


@dataclass(frozen=True, slots=True)
class State:
    phase: RegistrationState
    # The key of the question that is open.
    step: str = ""
    # Checked, by the key of their question.
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    skipped: tuple[str, ...] = ()
    # In a row, in which nothing was understood, or what was given was no such thing.
    attempts: int = 0
    # In a row, that brought nothing new: somebody who only asks, or a machine that answers a machine.
    idle: int = 0
    is_update: bool = False
    # Whether they were told what they agree to. A template that invites people tells it nobody.
    is_told: bool = True
    # What the person was asked whether they meant.
    offered: tuple[Kind, str] | None = field(default=None, repr=False)
    # What was going on before a person took over.
    resumes: RegistrationState | None = None

    @property
    def place(self) -> str:
        """The question that is open, or what else the person was asked."""
        phase = self.resumes or self.phase
        return {RegistrationState.CONSENT: CONSENT, RegistrationState.CONFIRMING: SUMMARY}.get(phase, self.step)


@dataclass(frozen=True, slots=True)
class Text:
    """One of the flow's texts, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Ask:
    key: str


@dataclass(frozen=True, slots=True)
class Help:
    key: str


@dataclass(frozen=True, slots=True)
class Wrong:
    kind: Kind
    detail: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was given, masked."""


type Line = Text | Ask | Help | Wrong | Summary


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from what was heard."""

    state: State
    says: tuple[Line, ...] = ()


def as_text(state: State) -> str:
    document: dict[str, Any] = {
        "phase": state.phase,
        "step": state.step,
        "values": dict(state.values),
        "skipped": state.skipped,
        "attempts": state.attempts,
        "idle": state.idle,
        "is_told": state.is_told,
        "is_update": state.is_update,
        "offered": state.offered,
        "resumes": state.resumes,
    }
    return orjson.dumps(document).decode()


def from_text(text: str) -> State:
    document = orjson.loads(text)
    return State(
        RegistrationState(document["phase"]),
        document["step"],
        document["values"],
        tuple(document["skipped"]),
        document["attempts"],
        document["idle"],
        document["is_update"],
        document["is_told"],
        (Kind(document["offered"][0]), document["offered"][1]) if document["offered"] else None,
        RegistrationState(document["resumes"]) if document["resumes"] else None,
    )
