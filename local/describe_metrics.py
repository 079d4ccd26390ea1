"""Write the table of what is counted into docs/metrics.md, from what the apps declare."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import django

PAGE = Path("docs/metrics.md")
BEGINS, ENDS = "<!-- metrics: begin -->", "<!-- metrics: end -->"


def main() -> int:
    """With --check nothing is changed, and 1 says that the page is old."""
    django.setup()
    written = PAGE.read_text()
    head, _, rest = written.partition(BEGINS)
    _, _, tail = rest.partition(ENDS)
    wanted = f"{head}{BEGINS}\n{tables()}\n{ENDS}{tail}"
    if wanted == written:
        return 0
    if "--check" in sys.argv:
        print(f"{PAGE} is not what the apps declare: run `make metrics`.")
        return 1
    PAGE.write_text(wanted)
    return 0


def tables() -> str:
    from apps.core.metrics.declared import Source, every  # noqa: PLC0415 - once Django is set up

    metrics = every()
    labels = {label.name: label for metric in metrics for label in metric.labels}
    parts = [
        "### Of each process",
        _table(metric for metric in metrics if metric.source is Source.PROCESS),
        "### Of the installation",
        _table(metric for metric in metrics if metric.source is Source.INSTALLATION),
        "### Labels",
        *(_values(label.name, metrics) for _, label in sorted(labels.items())),
    ]
    return "\n\n".join(parts)


def _table(metrics: Iterable[Any]) -> str:
    rows = [["name", "type", "labels", "what"], ["---"] * 4]
    for metric in metrics:
        labels = " ".join(f"`{label.name}`" for label in metric.labels)
        rows.append([f"`{metric.name}`", metric.kind, labels or "–", metric.says])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _values(name: str, metrics: Iterable[Any]) -> str:
    """A name may stand for different lists: a breaker's state is not an account's."""
    lines = []
    for metric in metrics:
        for label in metric.labels:
            if label.name == name:
                words = "as many as there are" if label.values is None else ", ".join(sorted(label.values))
                line = f"{label.says}: {words} (at most {label.most})"
                if line not in lines:
                    lines.append(line)
    return f"`{name}`: " + ". Or: ".join(lines) + "."


if __name__ == "__main__":
    sys.exit(main())
