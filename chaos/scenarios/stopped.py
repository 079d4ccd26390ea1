"""A worker is stopped for longer than its lease, and wakes up believing that nothing happened."""

import time
from itertools import cycle, islice

from chaos.crew import LEASE_SECONDS
from chaos.sender import Account
from chaos.trial import Row, Scale, Trial, faults

_LONGER_SECONDS = LEASE_SECONDS + 4.0
_SLOW_SECONDS = 0.3
_MOST_TRIES = 20


def worker(trial: Trial, scale: Scale) -> Row:
    messages, times = max(400, scale.of_messages(4_000)), scale.of_times(3)
    accounts = [trial.whatsapp(), trial.instagram(on_unknown="dead_letter")]
    with faults(trial, {"kind": "slow", "seconds": _SLOW_SECONDS}):
        for account in accounts:
            each = messages // len(accounts)
            trial.send(account, each, people=200, per_second=each / (times * _LONGER_SECONDS), at_once=5)
        for _ in range(times):
            time.sleep(1.0)
            frozen = _freeze_in_the_middle(trial, accounts[-1])
            time.sleep(_LONGER_SECONDS)
            trial.crew.thaw(frozen)
    trial.trouble_is_over()
    row = trial.finish()
    if not row.verdict.dead_letters:
        trial.problems.append("no worker was stopped with a message in its hands")
    trial.notes.append(
        f"{times} × stopped for {_LONGER_SECONDS:.0f} s under leases of {LEASE_SECONDS} s; "
        f"{trial.stage.books.unknown_outcomes(trial.ids).total()} outcomes were unknown, "
        f"{row.verdict.dead_letters} dead letters where that was asked for"
    )
    return row


def _freeze_in_the_middle(trial: Trial, account: Account) -> list[int]:
    """Whoever holds messages of this account, at a moment when it does. Returns whom to thaw."""
    books, ids = trial.stage.books, [account.id]
    for worker in islice(cycle(trial.crew.dispatchers), _MOST_TRIES):
        if not trial.wait_for(lambda: bool(books.in_flight(ids))):
            break
        frozen = trial.crew.freeze(worker)
        held = books.in_flight(ids)
        time.sleep(3 * _SLOW_SECONDS)
        if held & books.in_flight(ids):
            return frozen
        trial.crew.thaw(frozen)
    return []
