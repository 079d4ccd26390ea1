"""How many messages may leave now, counted across every worker of every machine.

One script decides on Redis' own clock, so that neither the number of workers nor their clocks change the answer,
and whoever is refused learns when to come back instead of waiting inside a worker.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from apps.core.scripts import Question

LONGEST_SECONDS = 31 * 24 * 3600
"""A month's quota fits; nothing in Redis outlives it, whatever wait a provider asked for."""

FASTEST = 1_000_000.0
"""One each microsecond, which is as finely as Redis tells the time."""

_SECOND = 1_000_000
_NANOSECONDS = 1_000_000_000
_SCRIPT = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` a second for as long as one likes, of which up to `burst` may come at once after a rest."""

    rate: float
    burst: int

    def __post_init__(self) -> None:
        if not 0 < self.rate <= FASTEST:
            raise ValueError(f"a rate is above 0 and at most {FASTEST:.0f} a second, not {self.rate}")
        if self.burst < 1:
            raise ValueError(f"a burst below 1 would never grant anything, not {self.burst}")
        if self.burst / self.rate > LONGEST_SECONDS:
            raise ValueError(
                f"a burst of {self.burst} at {self.rate} a second takes more than {LONGEST_SECONDS} s to refill"
            )

    @property
    def interval(self) -> int:
        """Nanoseconds that one message costs; rounded up, because a provider's limit is not ours to exceed."""
        return math.ceil(_NANOSECONDS / self.rate)


@dataclass(frozen=True, slots=True)
class Grant:
    granted: int
    """From 0 to what was asked for."""

    remaining: int
    """How many more would be granted this moment."""

    retry_after: float
    """Seconds until at least one more will be granted; 0.0 when nothing was refused."""

    reset_after: float
    """Seconds until the whole burst is free again."""


class Limiter:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._script = client.register_script(_SCRIPT)

    def take(self, key: str, limit: Limit, n: int = 1) -> Grant:
        """Take up to `n`: what is not granted is not owed either, so nobody waits behind a large request.

        A key may be asked with another limit than before; what was used goes on counting, in messages.
        """
        return self.taking(key, limit, n).ask()

    def taking(self, key: str, limit: Limit, n: int) -> Question[Grant]:
        if n < 1:
            raise ValueError(f"nothing to take: {n}")
        longest = LONGEST_SECONDS * _NANOSECONDS
        return Question(self._script, [_name(key)], ["take", n, limit.interval, limit.burst, longest], _grant)

    def take_each(self, keys: Sequence[str], limit: Limit) -> list[float]:
        """Take one of each key, in one round trip: 0.0 where it was granted, else the seconds until it would be.

        A key that comes twice is taken from twice.
        """
        if not keys:
            return []
        longest = LONGEST_SECONDS * _NANOSECONDS
        waits = self._script(
            keys=[_name(key) for key in keys], args=["take_each", 1, limit.interval, limit.burst, longest]
        )
        return [wait / _SECOND for wait in waits]

    def refund(self, key: str, n: int) -> None:
        """Give back what was taken and not used."""
        if n > 0:
            self._script(keys=[_name(key)], args=["refund", n])

    def pause(self, key: str, seconds: float) -> None:
        """Grant nothing for so long, as a provider's Retry-After demands. The longest of several pauses counts.

        A wait that is already over changes nothing; one beyond LONGEST_SECONDS is cut to it.
        """
        microseconds = round(min(seconds, LONGEST_SECONDS) * _SECOND)
        self._script(keys=[_name(key)], args=["pause", microseconds])

    def resume(self, key: str) -> None:
        """End a pause now. What was taken before it is still counted."""
        self._client.hdel(_name(key), "pause")


def _grant(said: list[int]) -> Grant:
    granted, remaining, retry_after, reset_after = said
    return Grant(granted, remaining, retry_after / _SECOND, reset_after / _SECOND)


def _name(key: str) -> str:
    return f"recado:limit:{key}"
