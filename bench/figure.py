"""A measured figure, and what it must be."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles


class CannotMeasure(Exception):
    """Something that the figure needs is missing or did not work. The message says what."""


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    measured: float
    ours: str
    against: str
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        above = self.least is None or self.measured >= self.least
        return above and (self.most is None or self.measured <= self.most)

    @property
    def must_be(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{number(self.least)} to {number(self.most)}"
        return f"≥ {number(self.least)}" if self.least is not None else f"≤ {number(self.most or 0)}"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}".removesuffix(".00")


def rate(messages_per_second: float) -> str:
    return f"{messages_per_second:,.0f}/s"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
