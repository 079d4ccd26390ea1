"""In which arrangements of workers the contenders are tried; each is measured in its best."""

from collections.abc import Callable, Sequence

from bench.workers import Layout

# What takes events to the stream, works on callbacks and sweeps: in processes of its own, as it is deployed.
EVENTS = "--pool prefork --concurrency 2 --queues events"
EVENTS_ALONE = "--pool solo --queues events"
DISPATCH = "--pool solo --queues dispatch.whatsapp_cloud"


def _ours(dispatchers: int, concurrency: int) -> Layout:
    return Layout(
        f"{dispatchers} solo, {concurrency} connections each, 1 for events",
        [DISPATCH] * dispatchers + [EVENTS_ALONE],
        {"DRAIN_CONCURRENCY": str(concurrency), "DRAINS_PER_ACCOUNT": str(dispatchers)},
    )


OURS = [_ours(2, 200), _ours(1, 200), _ours(2, 100), _ours(2, 400)]
OURS_WITH_200_CONNECTIONS = [_ours(2, 100), _ours(1, 200)]

ONE_TASK_EACH = [
    Layout("3 solo", ["--pool solo"] * 3),
    Layout("2 solo", ["--pool solo"] * 2),
    Layout("prefork of 2", ["--pool prefork --concurrency 2"]),
    Layout("prefork of 3", ["--pool prefork --concurrency 3"]),
    Layout("2 with 4 threads", ["--pool threads --concurrency 4"] * 2),
]


def best(layouts: Sequence[Layout], measure: Callable[[Layout], float]) -> Layout:
    """The one that is fastest in a trial."""
    return layouts[0] if len(layouts) == 1 else max(layouts, key=measure)
