"""Workers die in the middle of it, or are asked to stop. There is no beat, here and wherever none is named."""

from random import Random

from chaos.trial import Row, Scale, Trial, faults

_KILL_EVERY_SECONDS = 2.0
_STOP_EVERY_SECONDS = 4.0
# So that some messages are at the provider whenever it happens.
_SLOW = {"kind": "slow", "seconds": 0.3, "rate": 0.5}
_STOPPED_WITHIN_SECONDS = 20.0


def by_force(trial: Trial, scale: Scale) -> Row:
    """SIGKILL for any process of any worker, parents and children, those that work on receipts included."""
    chance = Random(20_000)  # noqa: S311 - so that a run can be repeated
    messages, kills = scale.of_messages(20_000), scale.of_times(20)
    trial.send(trial.whatsapp(), messages, per_second=messages / (kills * _KILL_EVERY_SECONDS))
    with faults(trial, _SLOW):
        struck = [trial.crew.strike(chance) for _ in trial.rounds(kills, _KILL_EVERY_SECONDS)]
    trial.trouble_is_over()
    parents = sum(each.endswith("parent") for each in struck)
    trial.notes.append(f"{len(struck)} × SIGKILL, {parents} of them for a worker's parent process")
    row = trial.finish()
    unknown = trial.stage.books.unknown_outcomes(trial.ids).total()
    trial.notes.append(f"{unknown} outcomes were unknown for a while")
    return row


def by_request(trial: Trial, scale: Scale) -> Row:
    """SIGTERM, each worker in turn, with another in its place at once. Nobody shall have to wonder afterwards."""
    messages, stops = scale.of_messages(5_000), scale.of_times(10)
    trial.send(trial.whatsapp(), messages, per_second=messages / (stops * _STOP_EVERY_SECONDS))
    rolled = []
    with faults(trial, _SLOW):
        for n in trial.rounds(stops, _STOP_EVERY_SECONDS):
            workers = list(trial.crew.workers.values())
            rolled.append(trial.crew.roll(workers[n % len(workers)]))
    trial.trouble_is_over()
    row = trial.finish()
    codes = trial.crew.wait_for_the_rolled(rolled, _STOPPED_WITHIN_SECONDS)
    unclean = [code for code in codes if code != 0]
    trial.notes.append(f"{len(rolled)} × SIGTERM")
    if unclean:
        trial.problems.append(f"workers ended with {unclean}, or not within {_STOPPED_WITHIN_SECONDS:.0f} s")
    trial.must_know_every_outcome()
    return row
