"""The table, for a terminal and for docs/benchmarks.md."""

from collections.abc import Sequence
from pathlib import Path

from bench.figure import Figure, number

_HEADINGS = ("figure", "must be", "measured", "Recado", "against", "")


def as_text(figures: Sequence[Figure]) -> str:
    rows = [_HEADINGS, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    notes = [f"  {figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([lines[0], "-" * sum(widths), *lines[1:], "", *notes])


def write_markdown(path: Path, figures: Sequence[Figure], machine: str) -> None:
    head = f"| {' | '.join(_HEADINGS)} |\n|{'---|' * len(_HEADINGS)}"
    rows = [f"| {' | '.join(_row(figure))} |" for figure in figures]
    notes = [f"- *{figure.name}*: {figure.note}" for figure in figures if figure.note]
    parts = [_INTRODUCTION, f"Measured on {machine}.", "", head, *rows, "", *notes, ""]
    path.write_text("\n".join(parts))


_INTRODUCTION = """# What Recado reaches

Written by `make bench ARGS="--markdown docs/benchmarks.md"`. Everything runs on one machine: PostgreSQL and Valkey
from the pinned wheels, durable as in the demo, nginx as the provider, workers and web processes as in production,
and the load. Machines differ and are noisy, so what counts are ratios, measured in turns in the same run, to:

- **(a)** one Celery task for each message, tuned as far as it goes: one prepared SQL statement a transition, a
  kept connection to the provider, no results and no events of Celery, in the best of several arrangements of
  workers. It keeps no order, no limit and no breaker.
- **(b)** a bare aiohttp loop that posts the same bodies, with no database and nobody to tell.
- **(c)** a bare Django REST view that inserts one message and starts a task for it, without idempotency, tenancy
  or events.
- **bare PUBLISH**, **bare broadcast**: what is published on a Redis channel goes to every WebSocket by the
  `websockets` library alone, with no authentication, subscriptions, offsets or bounds.
"""


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = "✓" if figure.holds else "✗"
    return (figure.name, figure.must_be, number(figure.measured), figure.ours, figure.against, verdict)
