"""What goes wrong, for whom, how often and for how long."""

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from apps.channels.simulators.fields import BadField, read_count, read_number, read_object, read_text

MOST_FAULTS = 1000
"""Each is looked at for every message."""


class Kind(StrEnum):
    SLOW = "slow"

    RATE_LIMITED = "rate_limited"
    PAIR_RATE_LIMITED = "pair_rate_limited"
    SERVER_ERROR = "server_error"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - the name of a fault
    BLOCKED = "blocked"
    OPTED_OUT = "opted_out"
    CUT_BEFORE = "cut_before"

    CUT_AFTER = "cut_after"
    CALLBACKS_FIRST = "callbacks_first"
    DUPLICATE_CALLBACKS = "duplicate_callbacks"
    REORDERED_CALLBACKS = "reordered_callbacks"
    NO_CALLBACKS = "no_callbacks"
    UNDELIVERABLE = "undeliverable"


_NOT_ACCEPTED = frozenset(
    {
        Kind.RATE_LIMITED,
        Kind.PAIR_RATE_LIMITED,
        Kind.SERVER_ERROR,
        Kind.INVALID_TOKEN,
        Kind.BLOCKED,
        Kind.OPTED_OUT,
        Kind.CUT_BEFORE,
    }
)
# What can happen to somebody who asks for an account's facts, and sends nothing to anybody.
_OF_THE_ACCOUNT = frozenset({Kind.SLOW, Kind.RATE_LIMITED, Kind.SERVER_ERROR, Kind.INVALID_TOKEN, Kind.CUT_BEFORE})
_WITH_RETRY_AFTER = frozenset({Kind.RATE_LIMITED, Kind.PAIR_RATE_LIMITED})
_FIELDS = frozenset(
    {"kind", "to", "rate", "times", "for_seconds", "seconds", "retry_after", "provider", "account", "token"}
)


@dataclass(slots=True)
class Fault:
    kind: Kind
    document: dict[str, Any]
    """As it was ordered."""

    to: str | None
    provider: str | None
    account: str | None
    token: str | None = field(repr=False)
    """One that was revoked: whoever comes with another is spared."""

    rate: float
    times: int | None
    ends_at: float | None
    """On the monotonic clock."""

    seconds: float
    retry_after: int
    struck: int = 0

    @classmethod
    def parse(cls, document: object) -> Self:
        given = read_object(document, _FIELDS, "a fault")
        kind = _read_kind(given.get("kind"))
        for_seconds = read_number(given, "for_seconds")
        seconds = read_number(given, "seconds")
        retry_after = read_count(given, "retry_after")
        if (kind is Kind.SLOW) != (seconds is not None):
            raise BadField("seconds belongs to slow, and slow needs it")
        if retry_after is not None and kind not in _WITH_RETRY_AFTER:
            raise BadField("retry_after belongs to rate_limited and pair_rate_limited")
        token = read_text(given, "token")
        if token is not None and kind is not Kind.INVALID_TOKEN:
            raise BadField("token belongs to invalid_token")
        rate = read_number(given, "rate", most=1.0)
        return cls(
            kind=kind,
            document=dict(given),
            to=read_text(given, "to"),
            provider=read_text(given, "provider"),
            account=read_text(given, "account"),
            token=token,
            rate=1.0 if rate is None else rate,
            times=read_count(given, "times"),
            ends_at=None if for_seconds is None else time.monotonic() + for_seconds,
            seconds=seconds or 0.0,
            retry_after=retry_after or 1,
        )

    def is_over(self) -> bool:
        return (self.times is not None and self.struck >= self.times) or (
            self.ends_at is not None and time.monotonic() >= self.ends_at
        )

    def is_for(self, provider: str, account: str, to: str | None, token: str) -> bool:
        """`to` is None for whoever only asks for the account's facts."""
        if to is None and self.kind not in _OF_THE_ACCOUNT:
            return False
        return (
            (self.to is None or self.to == to)
            and (self.provider is None or self.provider == provider)
            and (self.account is None or self.account == account)
            and (self.token is None or self.token == token)
        )

    def shown(self) -> dict[str, Any]:
        return self.document | {"struck": self.struck, "over": self.is_over()}


@dataclass(slots=True)
class Struck:
    """What one request suffers."""

    seconds: float = 0.0
    refusal: Fault | None = None
    """Not accepted: refused with an error, or cut off before."""

    kinds: set[Kind] = field(default_factory=set)
    """Of an accepted one: how its answer and its callbacks go wrong."""


UNHARMED = Struck()


class Faults:
    """Those in force, in the order in which they come to a message: slow, then refusals, then the rest.

    One of a kind strikes a message, the first in the list that will; and one refusal is enough, so that
    whatever would come after acceptance is not used up by a message that never got there.
    """

    def __init__(self) -> None:
        self._all: list[Fault] = []
        self._in_force: list[Fault] = []

    def replace(self, faults: Iterable[Fault]) -> None:
        self._all = list(faults)
        self._in_force = sorted(self._all, key=_place)

    def shown(self) -> list[dict[str, Any]]:
        return [fault.shown() for fault in self._all]

    def strike(self, provider: str, account: str, to: str | None, token: str) -> Struck:
        if not self._in_force:
            return UNHARMED
        struck = Struck()
        over = False
        for fault in self._in_force:
            if fault.is_over():
                over = True
                continue
            if fault.kind in struck.kinds or not fault.is_for(provider, account, to, token):
                continue
            if fault.rate < 1.0 and random.random() >= fault.rate:  # noqa: S311 - nobody's secret
                continue
            fault.struck += 1
            struck.kinds.add(fault.kind)
            if fault.kind is Kind.SLOW:
                struck.seconds = fault.seconds
            elif fault.kind in _NOT_ACCEPTED:
                struck.refusal = fault
                break
        if over:
            self._in_force = [fault for fault in self._in_force if not fault.is_over()]
        return struck


def parse_faults(document: object) -> list[Fault]:
    if not isinstance(document, list):
        raise BadField("the faults are a JSON list")
    if len(document) > MOST_FAULTS:
        raise BadField(f"at most {MOST_FAULTS} faults")
    faults = []
    for index, given in enumerate(document):
        try:
            faults.append(Fault.parse(given))
        except BadField as bad:
            raise BadField(f"fault {index}: {bad}") from None
    return faults


def _place(fault: Fault) -> int:
    if fault.kind is Kind.SLOW:
        return 0
    return 1 if fault.kind in _NOT_ACCEPTED else 2


def _read_kind(value: object) -> Kind:
    try:
        return Kind(value)  # type: ignore[arg-type]
    except ValueError:
        raise BadField(f"kind is one of {', '.join(Kind)}") from None
