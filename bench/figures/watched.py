"""What being watched costs a dispatch: metrics of all of it, and traces of a tenth, against neither."""

from statistics import median

from bench.dispatching import Contest
from bench.figure import Figure, rate
from bench.layouts import OURS
from bench.office import Office
from bench.stage import Stage
from local.ports import HOST

ROUNDS = 5
SAMPLED = 0.1


def measure(stage: Stage, office: Office) -> list[Figure]:
    contest = Contest(stage, office)
    count = stage.choose(20_000, 10_000)
    layout = OURS[0]
    watched = layout.told(
        # Any free port: nobody asks there while it is measured.
        INTERNAL_ADDRESS=f"{HOST}:0",
        # The provider agrees with everything, also with traces.
        OTEL_EXPORTER_OTLP_ENDPOINT=stage.provider.url,
        TRACES_SAMPLE_RATIO=str(SAMPLED),
    )
    with_all, with_metrics, with_nothing = [], [], []
    for _ in range(stage.choose(ROUNDS, 2)):
        with_nothing.append(contest.ours(layout, count, app="bench.unwatched"))
        with_metrics.append(contest.ours(layout.told(INTERNAL_ADDRESS=f"{HOST}:0"), count))
        with_all.append(contest.ours(watched, count, traced=SAMPLED))
    return [
        Figure(
            "dispatch with metrics and 10 % of the traces vs with neither",
            # Of each round its own, since a machine may be slower in the next.
            median(_shares(with_all, with_nothing)),
            rate(median(with_all)),
            rate(median(with_nothing)),
            least=0.9,
            note=f"median of {len(with_all)} rounds' ratios; metrics alone "
            f"{median(_shares(with_metrics, with_nothing)):.2f}; {layout.name}",
        )
    ]


def _shares(rates: list[float], of: list[float]) -> list[float]:
    return [one / other for one, other in zip(rates, of, strict=True)]
