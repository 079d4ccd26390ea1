"""What follows from finished attempts: the outcomes are written down, and breaker, limits and account are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from apps.channels.accounts import pause_because_rejected
from apps.channels.errors import AccountRejected, RateLimited, RecipientRejected, SendFailed, Transient
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core.redis import RedisError
from apps.messaging import conversations
from apps.messaging.consent import suppressions
from apps.messaging.engine import counted, fallback
from apps.messaging.engine.accounts import retry_policy
from apps.messaging.engine.claim import Claimed
from apps.messaging.engine.gate import Gate, Opening
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.publisher import publish_now
from apps.messaging.engine.record import record_and_find_unpublished
from apps.messaging.engine.retry import AwaitReceipt, GiveUp, Hold, Retry, decide
from apps.messaging.models import ConsentSource

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message and what came of it, with what was known when it was claimed."""

    delivery: Claimed
    opening: Opening
    outcome: Outcome

    @property
    def error(self) -> SendFailed | None:
        return self.outcome.error

    @property
    def reached_provider(self) -> bool:
        return self.outcome.result not in {Result.EXPIRED, Result.RETURNED}

    @property
    def falls_back(self) -> bool:
        return self.delivery.has_fallback and self.outcome.result is Result.FAILED


def outcome_of_failure(
    account: ChannelAccount,
    delivery: Claimed,
    lease: UUID,
    error: SendFailed,
    milliseconds: int | None = None,
    *,
    drain: str = "",
    has_awaited_receipt: bool = False,
) -> Outcome:
    decision = decide(
        retry_policy(account),
        connector_class(account.connector).capabilities,
        delivery.attempt,
        error,
        has_awaited_receipt=has_awaited_receipt,
    )
    result, seconds = _RESULT_OF[type(decision)], getattr(decision, "seconds", 0.0)
    return Outcome(
        delivery.message_id,
        delivery.conversation_id,
        lease,
        result,
        seconds=seconds,
        error=error,
        milliseconds=milliseconds,
        drain=drain,
    )


_RESULT_OF = {Retry: Result.RETRYING, Hold: Result.HELD, AwaitReceipt: Result.UNKNOWN, GiveUp: Result.FAILED}


def settle(account: ChannelAccount, gate: Gate, attempts: Sequence[Attempt]) -> int:
    """How many were written down. Redis comes after: without it the outcomes still count."""
    _heed(account, attempts)
    written, unpublished = record_and_find_unpublished([attempt.outcome for attempt in attempts])
    counted.outcomes(account, [(each.outcome, each.delivery) for each in attempts], written.moved)
    publish_now(unpublished)
    if any(attempt.falls_back for attempt in attempts):
        fallback.take_due()
    _tell_account(account, attempts)
    try:
        _tell_gate(account, gate, attempts)
    except RedisError as error:
        logger.warning("limits_not_told", reason=type(error).__name__)
    return written.number


def _heed(account: ChannelAccount, attempts: Sequence[Attempt]) -> None:
    """What the provider says of the person. Before the outcomes are written: dying in between repeats it."""
    opted_out = [
        attempt.delivery.to
        for attempt in attempts
        if isinstance(attempt.error, RecipientRejected) and attempt.error.opted_out
    ]
    if opted_out:
        kind = connector_class(account.connector).capabilities.address
        suppressions.add(account.organization_id, kind, opted_out, ConsentSource.PROVIDER)
    for attempt in attempts:
        if isinstance(attempt.error, Transient) and attempt.error.moved_to:
            conversations.move(account, attempt.delivery.to, attempt.error.moved_to)


def _tell_account(account: ChannelAccount, attempts: Sequence[Attempt]) -> None:
    for attempt in attempts:
        error = attempt.error
        if isinstance(error, AccountRejected):
            if pause_because_rejected(account.id, account.version, f"{error.code} {error.detail}".strip()):
                logger.error("account_rejected", account_id=str(account.id), code=error.code)
            return


def _tell_gate(account: ChannelAccount, gate: Gate, attempts: Sequence[Attempt]) -> None:
    tried = [attempt for attempt in attempts if attempt.reached_provider]
    for attempt in attempts:
        if attempt.opening.probe and not attempt.reached_provider:
            gate.give_back(account, attempt.opening, 1)
    if not tried:
        return
    probe = next((attempt.opening.probe for attempt in tried if attempt.opening.probe), None)
    was_failing = any(attempt.opening.was_failing for attempt in tried)
    gate.report(account, [attempt.error for attempt in tried], probe=probe, was_failing=was_failing)
    for attempt in tried:
        if isinstance(attempt.error, RateLimited):
            gate.obey(account, attempt.delivery.to, attempt.error, attempt.outcome.seconds)
