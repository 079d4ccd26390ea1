"""A worker is stopped for longer than its lease, and wakes up believing that nothing happened."""

import time

from chaos.stage import LEASE_SECONDS
from chaos.trial import Row, Scale, Trial, faults

_LONGER_SECONDS = LEASE_SECONDS + 4.0


def worker(trial: Trial, scale: Scale) -> Row:
    messages, times = scale.of_messages(4_000), scale.of_times(3)
    accounts = [trial.whatsapp(), trial.instagram(on_unknown="dead_letter")]
    with faults(trial, {"kind": "slow", "seconds": 0.3}):
        for account in accounts:
            each = messages // len(accounts)
            trial.send(account, each, people=200, per_second=each / (times * _LONGER_SECONDS))
        for n in range(times):
            time.sleep(1.0)
            frozen = trial.crew.freeze(trial.crew.dispatchers[n % len(trial.crew.dispatchers)])
            time.sleep(_LONGER_SECONDS)
            trial.crew.thaw(frozen)
    trial.trouble_is_over()
    row = trial.finish()
    trial.notes.append(
        f"{times} × stopped for {_LONGER_SECONDS:.0f} s under leases of {LEASE_SECONDS} s; "
        f"{trial.stage.books.unknown_outcomes(trial.ids)} outcomes were unknown, "
        f"{row.verdict.dead_letters} dead letters where that was asked for"
    )
    return row
