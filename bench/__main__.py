"""`make bench`: measure, print the table, and fail where a figure misses what it must be."""

import argparse
import sys
import time
from pathlib import Path

from bench.figure import CannotMeasure, Figure
from bench.nginx import NoNginx
from bench.self_check import check
from bench.stage import Stage, open_stage
from local.console import Stopped, say, stop_when_told
from local.processes import ProcessFailed

LIVE = ("live-latency", "fan-out", "sockets", "storm")
NAMES = (
    "dispatch",
    "watched",
    "retention",
    "slow-provider",
    "sustained",
    "accept",
    "claim",
    "at-rest",
    "limit",
    "memory",
    "callbacks",
    "uploads",
    "reminders",
    "talking",
    "operators",
    *LIVE,
)


def main() -> int:
    options = _options()
    stop_when_told()
    started = time.monotonic()
    try:
        with open_stage(is_quick=options.quick) as stage:
            say(f"  {check(stage.provider)}")
            return measure(stage, options.only or NAMES, options.markdown, started)
    except (NoNginx, ProcessFailed, CannotMeasure) as problem:
        say(f"\n  {problem}\n")
        return 1
    except Stopped as stopped:
        say("\n  Stopped.")
        return stopped.exit_code


def measure(stage: Stage, names: tuple[str, ...], markdown: Path | None, started: float) -> int:
    # Django reads the environment, which the stage has only now.
    import django  # noqa: PLC0415

    django.setup()
    from bench import machine, report  # noqa: PLC0415
    from bench.figures import FIGURES  # noqa: PLC0415
    from bench.office import open_office  # noqa: PLC0415

    office = open_office()
    figures: list[Figure] = []
    missing = []
    say(f"  {machine.describe()}; load before: {machine.load():.2f}\n")
    for name in names:
        begun = time.monotonic()
        try:
            figures += FIGURES[name](stage, office)
        except (CannotMeasure, ProcessFailed, OSError) as problem:
            missing.append(name)
            say(f"  ✗ {name}: {problem}")
        else:
            say(f"  ✓ {name:<16}{time.monotonic() - begun:6.0f} s")
    say(f"\n{report.as_text(figures)}\n  {time.monotonic() - started:.0f} s in all")
    if markdown:
        report.write_markdown(markdown, figures, machine.describe())
    return 1 if missing or not all(figure.holds for figure in figures) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure what docs/benchmarks.md says.")
    parser.add_argument("--quick", action="store_true", help="fewer messages, one round: rough figures")
    parser.add_argument("--only", action="append", choices=NAMES, help="this figure; may be given several times")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there as well")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
