"""What being watched costs a dispatch: metrics of all of it, and traces of a tenth, against neither."""

from collections.abc import Iterator
from enum import Enum
from itertools import cycle, islice
from statistics import harmonic_mean

from bench import switched
from bench.dispatching import Contest
from bench.figure import CannotMeasure, Figure, rate
from bench.layouts import OURS
from bench.office import Office
from bench.stage import Stage
from local.ports import HOST

ROUNDS = 12
SAMPLED = 0.1


class Watched(Enum):
    NOT = {"counted": False, "traced": False}
    COUNTED = {"counted": True, "traced": False}
    TRACED = {"counted": True, "traced": True}


def measure(stage: Stage, office: Office) -> list[Figure]:
    count = stage.choose(20_000, 2_000)
    layout = OURS[0].told(
        # Any free port: nobody asks there while it is measured.
        INTERNAL_ADDRESS=f"{HOST}:0",
        # The provider agrees with everything, also with traces.
        OTEL_EXPORTER_OTLP_ENDPOINT=stage.provider.url,
        TRACES_SAMPLE_RATIO=str(SAMPLED),
    )
    rates: dict[Watched, list[float]] = {how: [] for how in Watched}
    with Contest(stage, office).at_work(layout, count, switched.app, "bench.switched") as dispatch:
        for how in _turns(stage.choose(ROUNDS, 3)):
            _tell_workers(how, len(layout.workers))
            office.tidy()
            rates[how].append(count / dispatch(count, SAMPLED if how is Watched.TRACED else 0.0))
            stage.tell(f"{how.name.lower()}: {rates[how][-1]:,.0f}/s")
    return [
        Figure(
            "dispatch with metrics and 10 % of the traces vs with neither",
            _share(rates, Watched.TRACED),
            rate(harmonic_mean(rates[Watched.TRACED])),
            rate(harmonic_mean(rates[Watched.NOT])),
            least=0.9,
            note=f"all of {len(rates[Watched.NOT])} batches by turns, in the same processes; metrics alone "
            f"{_share(rates, Watched.COUNTED):.2f}; {layout.name}",
        )
    ]


def _turns(rounds: int) -> Iterator[Watched]:
    """Each begins as often as the others: tables grow with every batch."""
    for first in range(rounds):
        yield from islice(cycle(Watched), first % len(Watched), first % len(Watched) + len(Watched))


def _tell_workers(how: Watched, number: int) -> None:
    answers = switched.app.control.broadcast("be_watched", how.value, reply=True, timeout=10, limit=number) or []
    if len(answers) < number:
        raise CannotMeasure(f"{len(answers)} of {number} workers know how they are watched")


def _share(rates: dict[Watched, list[float]], how: Watched) -> float:
    """Of all batches together: one alone says little, for a machine may be a quarter slower in the next second."""
    return harmonic_mean(rates[how]) / harmonic_mean(rates[Watched.NOT])
