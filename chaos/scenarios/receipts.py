"""Receipts come twice, in the wrong order, before our own `sent`, and for messages of which nobody knows."""

from collections import Counter

from chaos.trial import Row, Scale, Trial, faults

_SECONDS = 25.0


def disturbed(trial: Trial, scale: Scale) -> Row:
    messages, seconds = scale.of_messages(4_000), scale.of_seconds(_SECONDS)
    account = trial.whatsapp()
    kinds = ("duplicate_callbacks", "reordered_callbacks", "callbacks_first")
    with faults(trial, *({"kind": kind, "rate": 0.5} for kind in kinds), {"kind": "cut_after", "rate": 0.05}):
        trial.send(account, messages, per_second=messages / seconds)
        for sender in trial.senders:
            sender.wait(seconds + 60)
    trial.trouble_is_over()
    row = trial.finish()
    statuses = Counter(ending.status for ending in trial.stage.books.endings(trial.ids).values())
    unknown = trial.stage.books.unknown_outcomes(trial.ids).total()
    trial.notes.append(f"{unknown} outcomes were unknown; in the end: {dict(statuses)}")
    if set(statuses) != {"read"}:
        trial.problems.append(f"not everything that was read is known to be: {dict(statuses)}")
    return row
