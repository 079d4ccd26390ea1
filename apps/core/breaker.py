"""Stops calling a provider that keeps failing, for all workers at once, and finds out when it is back.

One script decides on Redis' own clock. A breaker opens after some failures in a row; while it is open, messages
wait and spend no attempt; then a single call, the probe, tries the provider on behalf of all.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from redis import Redis

from apps.core.scripts import Question

LONGEST_SECONDS = 24 * 3600

_SECOND = 1_000_000
_SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
STATUSES: tuple[Literal["closed"], Literal["open"], Literal["half_open"]] = ("closed", "open", "half_open")


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    failures: int = 3
    """So many in a row open it."""

    seconds: float = 45.0
    """How long it stays open."""

    probe_seconds: float = 60.0
    """How long the probe is waited for before another call becomes the probe: longer than any call takes."""

    def __post_init__(self) -> None:
        if self.failures < 1:
            raise ValueError(f"a breaker opens after at least one failure, not {self.failures}")
        for name, seconds in (("seconds", self.seconds), ("probe_seconds", self.probe_seconds)):
            if not 1 / _SECOND <= seconds <= LONGEST_SECONDS:
                raise ValueError(f"{name} is above 0 and at most {LONGEST_SECONDS}, not {seconds}")


@dataclass(frozen=True, slots=True)
class Permission:
    allowed: bool

    probe: str | None = None
    """Set for the one call that tries the provider on behalf of all: its result must name this token."""

    retry_after: float = 0.0
    """Seconds until asking again may be answered differently; 0.0 when allowed."""

    failures: int = field(default=0, compare=False)
    """In a row, up to now: where there are none, a success is no news and need not be reported."""


@dataclass(frozen=True, slots=True)
class BreakerState:
    status: Literal["closed", "open", "half_open"]

    failures: int
    """In a row, up to now."""

    opens_until: datetime | None
    """When the next probe may go out; None unless the breaker is open."""


class Breaker:
    def __init__(self, client: Redis) -> None:
        self._script = client.register_script(_SCRIPT)

    def ask(self, key: str, policy: BreakerPolicy) -> Permission:
        """Whether a call may be made now. Whoever is given a probe reports its result with that token."""
        return self.asking(key, policy).ask()

    def asking(self, key: str, policy: BreakerPolicy) -> Question[Permission]:
        token = secrets.token_hex(8)

        def read(said: list[int]) -> Permission:
            allowed, probing, wait, failures = said
            return Permission(bool(allowed), token if probing else None, wait / _SECOND, failures)

        return Question(self._script, [_name(key)], _arguments("ask", policy, token), read)

    def succeeded(self, key: str, policy: BreakerPolicy, probe: str | None = None) -> bool:
        """The provider answered. True when this closed the breaker.

        While the breaker is open, only the probe's success counts: any other call began before the opening.
        """
        return bool(self._script(keys=[_name(key)], args=_arguments("succeeded", policy, probe)))

    def failed(self, key: str, policy: BreakerPolicy, probe: str | None = None, times: int = 1) -> bool:
        """The provider failed (not: it refused a message). True when this opened the breaker, or opened it again.

        `times`: so many calls that were under way together, none of which succeeded.

        A failure of a call that began before the opening does not prolong it.
        """
        return bool(self._script(keys=[_name(key)], args=[*_arguments("failed", policy, probe), times]))

    def abandoned(self, key: str, policy: BreakerPolicy, probe: str) -> bool:
        """There was nothing to try the provider with. Whoever asks next may."""
        return bool(self._script(keys=[_name(key)], args=_arguments("abandoned", policy, probe)))

    def state(self, key: str) -> BreakerState:
        """For display only: by the time it is read, it may be another."""
        return self.asking_state(key).ask()

    def asking_state(self, key: str) -> Question[BreakerState]:
        return Question(self._script, [_name(key)], ["state"], _read_state)


def _read_state(said: list[int]) -> BreakerState:
    status, failures, open_until = said
    opens_until = datetime.fromtimestamp(open_until / _SECOND, UTC) if STATUSES[status] == "open" else None
    return BreakerState(STATUSES[status], failures, opens_until)


def _arguments(action: str, policy: BreakerPolicy, token: str | None) -> list[str | int]:
    return [
        action,
        policy.failures,
        round(policy.seconds * _SECOND),
        round(policy.probe_seconds * _SECOND),
        token or "",
    ]


def _name(key: str) -> str:
    return f"recado:breaker:{key}"
