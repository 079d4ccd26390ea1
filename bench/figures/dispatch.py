"""Messages a second from a filled ready table, against one tuned Celery task for each (a)."""

from bench.dispatching import Contest
from bench.figure import Figure, rate
from bench.layouts import ONE_TASK_EACH, OURS, best
from bench.office import Office
from bench.stage import Stage

ROUNDS = 3


def measure(stage: Stage, office: Office) -> list[Figure]:
    contest = Contest(stage, office)
    ours = best(stage.choose(OURS, OURS[:1]), lambda layout: contest.ours(layout, 8_000))
    theirs = best(
        stage.choose(ONE_TASK_EACH, ONE_TASK_EACH[:1]), lambda layout: contest.one_task_each(layout, 2_000)
    )
    our_rates, their_rates = [], []
    for _ in range(stage.choose(ROUNDS, 1)):
        our_rates.append(contest.ours(ours, stage.choose(20_000, 10_000)))
        their_rates.append(contest.one_task_each(theirs, stage.choose(5_000, 2_000)))
    return [
        Figure(
            "dispatch vs (a)",
            max(our_rates) / max(their_rates),
            rate(max(our_rates)),
            rate(max(their_rates)),
            least=8,
            note=f"best of {len(our_rates)}; ours: {ours.name}; (a): {theirs.name}",
        )
    ]
