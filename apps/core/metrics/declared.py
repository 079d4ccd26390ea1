"""Counters, gauges and histograms, and the one list of all of them.

What Prometheus' library makes of one is built when it is first needed: by then a worker has said where its
children write (shared.py). Label values are looked up once; after that, counting costs about a microsecond.
"""

import threading
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache, wraps
from typing import Any, Literal

import prometheus_client as library
import structlog
from django.utils.module_loading import autodiscover_modules
from prometheus_client import CollectorRegistry

from apps.core.metrics.labels import OTHER, Label

logger = structlog.get_logger(__name__)

PREFIX = "recado_"
# Not the library's own, in which Flower and others count too.
REGISTRY = CollectorRegistry()
# Whatever the labels say, no metric has more series than this many combinations of them.
MOST_CHILDREN = 10_000

# When each series began: as many series again, which nobody reads.
library.disable_created_metrics()  # type: ignore[no-untyped-call]

type Mode = Literal["livesum", "livemax"]


class Source(StrEnum):
    # Counted by each process for itself: add them up.
    PROCESS = "process"
    # The same wherever it is read: take the largest.
    INSTALLATION = "installation"


def _in_nobodys_way[**P](count: Callable[P, None]) -> Callable[P, None]:
    """A number that cannot be written down must not stop whoever counts: they send messages."""

    @wraps(count)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            count(*args, **kwargs)
        except OSError as error:
            _say_once(str(error))

    return call


@lru_cache(maxsize=100)
def _say_once(reason: str) -> None:
    logger.error("not_counted", reason=reason, hint="Their folder is gone or full. Restart the worker.")


class Histogram(library.Histogram):
    """The library's, which takes many values at once."""

    def observe_many(self, values: Sequence[float]) -> None:
        bounds: Any = self._upper_bounds
        for n, count in Tally(bisect_left(bounds, value) for value in values).items():
            self._buckets[n].inc(count)
        self._sum.inc(sum(values))


class Metric[Kind: (library.Counter, library.Gauge, Histogram)]:
    kind: str
    source = Source.PROCESS

    def __init__(self, name: str, says: str, labels: Sequence[Label]) -> None:
        if name in DECLARED:
            raise ValueError(f"{name} is declared twice")
        if not name.startswith(PREFIX):
            raise ValueError(f"{name} does not begin with {PREFIX}")
        self.name = name
        self.says = says
        self.labels = tuple(labels)
        self._parent: Kind | None = None
        self._children: dict[tuple[str, ...], Kind] = {}
        self._lock = threading.Lock()
        DECLARED[name] = self

    @property
    def samples(self) -> list[str]:
        """The names under which Prometheus stores it."""
        return [self.name]

    def build(self) -> Kind:
        with self._lock:
            if self._parent is None:
                self._parent = self._build()
            return self._parent

    def forget(self) -> None:
        """What was counted up to now."""
        with self._lock:
            if self._parent is not None:
                REGISTRY.unregister(self._parent)
            self._parent = None
            self._children.clear()

    def of(self, values: tuple[str, ...]) -> Kind:
        child = self._children.get(values)
        return child if child is not None else self._find(values)

    def _build(self) -> Kind:
        raise NotImplementedError

    def _find(self, values: tuple[str, ...]) -> Kind:
        """What is on no list is counted together, and not kept: there may be any number of such words."""
        parent: Any = self.build()
        if not self.labels:
            self._children[values] = parent
            return self._children[values]
        with self._lock:
            known = tuple(
                self._known(n, label, value)
                for n, (label, value) in enumerate(zip(self.labels, values, strict=True))
            )
            if known not in self._children and len(self._children) >= MOST_CHILDREN:
                known = (OTHER,) * len(self.labels)
            if known not in self._children:
                self._children[known] = parent.labels(*known)
            return self._children[known]

    def _known(self, n: int, label: Label, value: str) -> str:
        if label.values is not None:
            return value if value in label.values else OTHER
        seen = {values[n] for values in self._children}
        return value if value in seen or len(seen) < label.most else OTHER

    @property
    def _names(self) -> list[str]:
        return [label.name for label in self.labels]


DECLARED: dict[str, Metric[Any]] = {}


class Counter(Metric[library.Counter]):
    kind = "counter"

    def __init__(self, name: str, says: str, *labels: Label) -> None:
        if not name.endswith("_total"):
            raise ValueError(f"{name} is a counter, so it ends in _total")
        super().__init__(name, says, labels)

    @_in_nobodys_way
    def add(self, *values: str, by: float = 1) -> None:
        self.of(values).inc(by)

    def _build(self) -> library.Counter:
        return library.Counter(self.name, self.says, self._names, registry=REGISTRY)


class Gauge(Metric[library.Gauge]):
    """Of this process. In a worker it is the sum of the children that live, or the largest of all."""

    kind = "gauge"

    def __init__(self, name: str, says: str, *labels: Label, mode: Mode = "livesum") -> None:
        super().__init__(name, says, labels)
        self._mode = mode

    @_in_nobodys_way
    def move(self, *values: str, by: float) -> None:
        self.of(values).inc(by)

    @_in_nobodys_way
    def put(self, *values: str, to: float) -> None:
        self.of(values).set(to)

    def _build(self) -> library.Gauge:
        mode: Any = self._mode
        return library.Gauge(self.name, self.says, self._names, registry=REGISTRY, multiprocess_mode=mode)


class Timing(Metric[Histogram]):
    """How long something took, in seconds."""

    kind = "histogram"

    def __init__(self, name: str, says: str, *labels: Label, buckets: Sequence[float]) -> None:
        super().__init__(name, says, labels)
        self.buckets = tuple(buckets)

    @_in_nobodys_way
    def add(self, *values: str, seconds: Sequence[float]) -> None:
        if seconds:
            self.of(values).observe_many(seconds)

    @property
    def samples(self) -> list[str]:
        return [f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count"]

    def _build(self) -> Histogram:
        return Histogram(self.name, self.says, self._names, registry=REGISTRY, buckets=self.buckets)


class Reading(Metric[library.Gauge]):
    """Read from PostgreSQL or Redis when somebody asks; whoever reads it hands it over (operations)."""

    kind = "gauge"
    source = Source.INSTALLATION

    def __init__(self, name: str, says: str, *labels: Label) -> None:
        super().__init__(name, says, labels)

    def build(self) -> library.Gauge:
        raise TypeError(f"{self.name} is read, not counted")


def every() -> list[Metric[Any]]:
    """Of all apps, by name."""
    _look_for_all()
    return sorted(DECLARED.values(), key=lambda metric: metric.name)


def sample_names() -> frozenset[str]:
    """All names that Prometheus ever stores of them: what dashboards and alerts may speak of."""
    return frozenset(name for metric in every() for name in metric.samples)


def build_all() -> None:
    """So that what has not happened yet is shown too, where it can be."""
    for metric in every():
        if metric.source is Source.PROCESS:
            metric.build()


def begin_again() -> None:
    """From zero, and written to wherever the library writes now."""
    for metric in list(DECLARED.values()):
        metric.forget()


@lru_cache(maxsize=1)
def _look_for_all() -> None:
    autodiscover_modules("metrics")
