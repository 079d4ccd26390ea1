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
    path.write_text("\n".join([f"Measured on {machine}.", "", head, *rows, "", *notes, ""]))


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = "✓" if figure.holds else "✗"
    return (figure.name, figure.must_be, number(figure.measured), figure.ours, figure.against, verdict)
