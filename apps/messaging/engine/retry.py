"""What a failure means: a pure function of the account's policy, the attempt and the error."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from apps.channels.capabilities import Capabilities
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)

LONGEST_BACKOFF = 600.0
LONGEST_WAIT = 24 * 3600.0
# Where a provider limits us and does not say for how long.
ACCOUNT_LIMIT_SECONDS = 1.0
RECIPIENT_LIMIT_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    attempts: int
    base_seconds: float
    sends_again_when_unknown: bool
    unknown_wait: float


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Back into the queue; the attempt is not counted, for nothing was sent."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AwaitReceipt:
    """Perhaps sent: a receipt may tell within so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Failed for good: a dead letter."""


type Decision = Retry | Hold | AwaitReceipt | GiveUp


def decide(
    policy: RetryPolicy,
    capabilities: Capabilities,
    attempt: int,
    error: SendFailed,
    *,
    has_awaited_receipt: bool = False,
    chance: Callable[[], float] = random.random,
) -> Decision:
    match error:
        case RateLimited():
            usual = ACCOUNT_LIMIT_SECONDS if error.scope == "account" else RECIPIENT_LIMIT_SECONDS
            return Hold(_bounded(error.retry_after, usual))
        case AccountRejected():
            # The account is paused meanwhile: nothing is claimed before a person lets it go on.
            return Hold(0.0)
        case RecipientRejected() | MessageRejected():
            return GiveUp()
        case OutcomeUnknown():
            return _unknown(policy, capabilities, attempt, has_awaited_receipt=has_awaited_receipt, chance=chance)
        case Transient():
            if attempt >= policy.attempts:
                return GiveUp()
            return Retry(_bounded(error.retry_after, backoff(policy, attempt, chance())))
    raise TypeError(f"no rule for {type(error).__name__}")


def backoff(policy: RetryPolicy, attempt: int, chance: float) -> float:
    """Full jitter: anything from now to the ceiling, which doubles. So a crowd does not come back as one."""
    ceiling = min(LONGEST_BACKOFF, policy.base_seconds * 2.0 ** min(attempt - 1, 30))
    return ceiling * chance


def _unknown(
    policy: RetryPolicy,
    capabilities: Capabilities,
    attempt: int,
    *,
    has_awaited_receipt: bool,
    chance: Callable[[], float],
) -> Decision:
    if capabilities.echoes_our_id and not capabilities.sends_are_idempotent and not has_awaited_receipt:
        return AwaitReceipt(policy.unknown_wait)
    may_repeat = capabilities.sends_are_idempotent or policy.sends_again_when_unknown
    if not may_repeat or attempt >= policy.attempts:
        return GiveUp()
    # What was awaited is waited enough.
    return Retry(0.0 if has_awaited_receipt else backoff(policy, attempt, chance()))


def _bounded(asked: float | None, usual: float) -> float:
    """The provider's own wait wins, within a day."""
    return min(max(asked, 0.0), LONGEST_WAIT) if asked is not None else usual
