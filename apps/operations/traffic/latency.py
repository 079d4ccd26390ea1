"""How slow messages were, as so many of each slowness: what is added up, and still tells of the slowest."""

from collections.abc import Sequence

# In seconds, each up to and with; the last has all that were slower.
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


def empty() -> list[int]:
    return [0] * (len(BUCKETS) + 1)


def quantile(counts: Sequence[int], share: float) -> float | None:
    """So many seconds or less took that share of them, by the bucket's upper edge. None: there were none."""
    rank = share * sum(counts)
    if not rank:
        return None
    seen = 0
    for edge, count in zip((*BUCKETS, float("inf")), counts, strict=True):
        seen += count
        if seen >= rank:
            return edge
    raise AssertionError("a share is between 0 and 1")
