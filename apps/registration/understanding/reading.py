"""What is made of a message, whoever reads it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from apps.registration.kinds import Kind

# Longer than anybody writes of themselves; what follows is not read.
MOST_CHARACTERS = 4_000


class Intent(StrEnum):
    REGISTER = "register"
    UPDATE = "update"
    CONFIRM = "confirm"
    DENY = "deny"
    CORRECT = "correct"
    HELP = "help"
    HUMAN = "human"
    STOP = "stop"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Slot:
    kind: Kind

    text: str
    """As written and not validated. What was spoken ("ana arroba …") is put as one writes it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person was just asked."""

    kind: Kind | None = None
    """The open question; None where there is none."""

    is_summary: bool = False
    """Whether "is this right?" is open."""

    is_required: bool = True
    """Whether the open question must be answered; where it need not, "no" leaves it out."""

    is_consent: bool = False
    """Whether "may we go on?" is open."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open: then people write of anything."""
        return self.kind is None and not self.is_summary and not self.is_consent


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer to the open question is OTHER, with the answer as a slot."""

    intent: Intent

    slots: tuple[Slot, ...] = ()

    corrects: Kind | None = None
    """What is wrong, or with UPDATE what is to be changed, where the person said so."""


class Reader(Protocol):
    def read(self, text: str, asked: Asked) -> Reading: ...
