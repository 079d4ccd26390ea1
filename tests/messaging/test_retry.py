"""The retry policy is a pure function; these tables are what it promises."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.channels.capabilities import AddressKind, Capabilities
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.messaging.engine.retry import (
    LONGEST_BACKOFF,
    LONGEST_WAIT,
    AwaitReceipt,
    Decision,
    GiveUp,
    Hold,
    Retry,
    RetryPolicy,
    backoff,
    decide,
)


def capabilities(*, echoes: bool = False, idempotent: bool = False) -> Capabilities:
    return Capabilities(
        address=AddressKind.PHONE, longest_text=10, echoes_our_id=echoes, sends_are_idempotent=idempotent
    )


def policy(*, again: bool = True, attempts: int = 5) -> RetryPolicy:
    return RetryPolicy(attempts=attempts, base_seconds=2.0, sends_again_when_unknown=again, unknown_wait=60)


def half() -> float:
    return 0.5


@pytest.mark.parametrize(
    ("error", "attempt", "decision"),
    [
        (Transient(), 1, Retry(1.0)),
        (Transient(), 2, Retry(2.0)),
        (Transient(), 4, Retry(8.0)),
        (Transient(), 5, GiveUp()),
        (Transient(retry_after=30), 1, Retry(30)),
        (Transient(retry_after=10**9), 1, Retry(LONGEST_WAIT)),
        (RateLimited(retry_after=7), 1, Hold(7)),
        (RateLimited(retry_after=7), 5, Hold(7)),
        (RateLimited(), 1, Hold(1.0)),
        (RateLimited(scope="recipient"), 1, Hold(6.0)),
        (AccountRejected(), 5, Hold(0.0)),
        (RecipientRejected(), 1, GiveUp()),
        (MessageRejected(), 1, GiveUp()),
    ],
    ids=repr,
)
def test_class_of_the_error_decides(error: SendFailed, attempt: int, decision: Decision) -> None:
    assert decide(policy(), capabilities(), attempt, error, chance=half) == decision


@pytest.mark.parametrize(
    ("able", "again", "awaited", "decision"),
    [
        # Sending the same id twice is harmless: at once.
        ({"idempotent": True}, False, False, Retry(1.0)),
        # A receipt will tell; when it does not, the account's choice counts.
        ({"echoes": True}, True, False, AwaitReceipt(60)),
        ({"echoes": True}, False, False, AwaitReceipt(60)),
        ({"echoes": True}, True, True, Retry(0.0)),
        ({"echoes": True}, False, True, GiveUp()),
        # Nothing will tell.
        ({}, True, False, Retry(1.0)),
        ({}, False, False, GiveUp()),
    ],
)
def test_unknown_outcome_is_repeated_only_where_that_is_allowed(
    able: dict[str, bool], again: bool, awaited: bool, decision: Decision
) -> None:
    decided = decide(
        policy(again=again),
        capabilities(**able),
        1,
        OutcomeUnknown(),
        has_awaited_receipt=awaited,
        chance=half,
    )
    assert decided == decision


def test_unknown_outcome_is_not_repeated_for_ever() -> None:
    assert decide(policy(attempts=3), capabilities(), 3, OutcomeUnknown(), chance=half) == GiveUp()


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1), base=st.floats(0.001, 600))
def test_backoff_is_bounded_whatever_the_attempt(attempt: int, chance: float, base: float) -> None:
    own = RetryPolicy(attempts=5, base_seconds=base, sends_again_when_unknown=True, unknown_wait=0)
    assert 0 <= backoff(own, attempt, chance) <= min(LONGEST_BACKOFF, base * 2.0 ** min(attempt - 1, 30))


def test_every_class_of_error_has_a_rule() -> None:
    def leaves(kind: type[SendFailed]) -> list[type[SendFailed]]:
        return [leaf for each in kind.__subclasses__() for leaf in leaves(each)] or [kind]

    for kind in leaves(SendFailed):
        error: Any = kind("code", "detail")
        assert isinstance(decide(policy(), capabilities(), 1, error), Retry | Hold | AwaitReceipt | GiveUp)
