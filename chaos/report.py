"""The table."""

from collections.abc import Sequence

from chaos.trial import Row

_HEADINGS = ("scenario", "accepted", "delivered", "lost", "doubled", "out of order", "recovered in", "")


def as_text(rows: Sequence[Row]) -> str:
    cells = [_HEADINGS, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in {0, 7} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    words = [f"  {row.name}: {text}" for row in rows for text in [*row.notes, *map(_shouted, row.problems)]]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", *words])


def _cells(row: Row) -> tuple[str, ...]:
    verdict = row.verdict
    numbers = (
        verdict.accepted,
        verdict.delivered,
        len(verdict.lost),
        verdict.doubled,
        len(verdict.out_of_order),
    )
    took = "never" if row.seconds is None else f"{row.seconds:.1f} s"
    return (row.name, *(f"{number:,}" for number in numbers), took, "✓" if row.holds else "✗")


def _shouted(problem: str) -> str:
    return f"✗ {problem}"
