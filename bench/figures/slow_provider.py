"""With 200 connections to a provider that takes 50 ms, against a bare HTTP loop without a database (b)."""

import subprocess
import sys

from bench.dispatching import Contest
from bench.figure import Figure, rate
from bench.layouts import OURS_WITH_200_CONNECTIONS, best
from bench.office import Office
from bench.stage import Stage

CONNECTIONS = 200
ROUNDS = 3


def measure(stage: Stage, office: Office) -> list[Figure]:
    contest = Contest(stage, office)
    slow = [layout.told(WHATSAPP_CLOUD_URL=stage.provider.delayed_url) for layout in OURS_WITH_200_CONNECTIONS]
    layout = best(stage.choose(slow, slow[:1]), lambda layout: contest.ours(layout, 6_000))
    our_rates, their_rates = [], []
    count = stage.choose(20_000, 10_000)
    for _ in range(stage.choose(ROUNDS, 1)):
        our_rates.append(contest.ours(layout, count))
        their_rates.append(_bare_loop(stage.provider.delayed_url, count))
    return [
        Figure(
            "dispatch vs (b) at 50 ms",
            max(our_rates) / max(their_rates),
            rate(max(our_rates)),
            rate(max(their_rates)),
            least=0.7,
            note=f"best of {len(our_rates)}; ours: {layout.name}",
        )
    ]


def _bare_loop(url: str, count: int) -> float:
    command = [sys.executable, "-m", "bench.bare_loop", url, str(count), str(CONNECTIONS)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=240)
    return count / float(ran.stdout)
