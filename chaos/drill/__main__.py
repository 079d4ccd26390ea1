"""`make restore-drill`: prints what happened and how long it took, and fails when anything was lost or doubled."""

import argparse
import sys
import time

from chaos.drill.lives import open_lives
from chaos.drill.play import SMALL, WHOLE, Drill, as_text
from local.console import Stopped, say, stop_when_told
from local.processes import ProcessFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="make restore-drill", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some dozens of messages instead of thousands")
    options = parser.parse_args()
    stop_when_told()
    started = time.monotonic()
    try:
        with open_lives(durable=True) as lives:
            drill = Drill(lives, SMALL if options.quick else WHOLE)
            try:
                drill.run()
            finally:
                if drill.steps:
                    say(as_text(drill.steps))
    except (ProcessFailed, AssertionError) as problem:
        say(f"\n  ✗ {problem}\n")
        return 1
    except Stopped as stopped:
        say("\n  Stopped.")
        return stopped.exit_code
    for found in drill.problems:
        say(f"  ✗ {found}")
    say(f"  {'✗' if drill.problems else '✓'} {time.monotonic() - started:.0f} s in all")
    return 1 if drill.problems else 0


if __name__ == "__main__":
    sys.exit(main())
