"""The provider answers 500 to everybody."""

import time

from chaos.trial import Row, Scale, Trial, faults

_MOST_ATTEMPTS = 3
_RECOVERED_WITHIN_SECONDS = 30.0


def fails(trial: Trial, scale: Scale) -> Row:
    """The breaker opens, so that messages wait instead of spending their attempts."""
    messages, seconds = scale.of_messages(5_000), scale.of_seconds(60.0)
    account = trial.whatsapp()
    with faults(trial, {"kind": "server_error", "provider": "whatsapp", "account": account.name}):
        trial.send(account, messages, per_second=messages / seconds)
        time.sleep(seconds)
    trial.trouble_is_over()
    row = trial.finish()
    most = trial.stage.books.most_attempts(trial.ids)
    trial.notes.append(f"{seconds:.0f} s of errors; no message spent more than {most} attempts")
    if most > _MOST_ATTEMPTS:
        trial.problems.append(f"a message spent {most} attempts")
    if row.seconds is not None and row.seconds > _RECOVERED_WITHIN_SECONDS:
        trial.problems.append(f"it took {row.seconds:.0f} s to go on")
    return row
