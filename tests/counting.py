"""What was counted since a moment: the numbers are of the process, and tests share one."""

from collections.abc import Iterator
from contextlib import contextmanager

from apps.core.metrics.declared import REGISTRY, build_all

type Series = dict[str, float]


def series() -> Series:
    build_all()
    return {
        f"{sample.name}{{{','.join(f'{name}={value}' for name, value in sample.labels.items())}}}": sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
    }


@contextmanager
def counting() -> Iterator[Series]:
    """Filled at the end, with what has changed: neither times nor buckets."""
    before, changed = series(), {}  # type: tuple[Series, Series]
    yield changed
    for name, value in series().items():
        if value != before.get(name, 0) and "_bucket{" not in name and "_seconds_sum{" not in name:
            changed[name] = value - before.get(name, 0)
