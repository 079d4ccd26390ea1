"""`make chaos`: run the scenarios, print the table, and fail when anything was lost, doubled or out of order."""

import argparse
import sys
import time

from chaos import report
from chaos.crew import Crew, hired
from chaos.scenarios import PATIENT, SCENARIOS
from chaos.stage import Stage, open_stage
from chaos.trial import QUICK, WHOLE, Row, Scale, Trial
from local.console import Stopped, say, stop_when_told
from local.processes import ProcessFailed


def main() -> int:
    options = _options()
    stop_when_told()
    started = time.monotonic()
    try:
        with open_stage() as stage:
            rows = run(stage, options.only or list(SCENARIOS), QUICK if options.quick else WHOLE)
    except ProcessFailed as problem:
        say(f"\n  {problem}\n")
        return 1
    except Stopped as stopped:
        say("\n  Stopped.")
        return stopped.exit_code
    say(f"\n{report.as_text(rows)}\n  {time.monotonic() - started:.0f} s in all")
    return 0 if all(row.holds for row in rows) else 1


def run(stage: Stage, names: list[str], scale: Scale) -> list[Row]:
    rows = []
    for is_patient in (False, True):
        if chosen := [name for name in names if (name in PATIENT) is is_patient]:
            begun = time.monotonic()
            with hired(stage, is_patient=is_patient) as crew:
                say(f"  workers ready in {time.monotonic() - begun:.0f} s")
                rows += _run_with(stage, crew, chosen, scale)
    return rows


def _run_with(stage: Stage, crew: Crew, names: list[str], scale: Scale) -> list[Row]:
    rows = []
    for name in names:
        begun = time.monotonic()
        with Trial(name, stage, crew) as trial:
            row = SCENARIOS[name](trial, scale)
        rows.append(row)
        say(
            f"  {'✓' if row.holds else '✗'} {name:<18}{time.monotonic() - begun:6.0f} s  {'; '.join(row.problems)}"
        )
    return rows


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description="Break everything, and count what was lost.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, and fewer kills")
    parser.add_argument(
        "--only", action="append", choices=SCENARIOS, help="this scenario; may be given several times"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
