"""What is measured, by the name that --only takes. Needs Django."""

from collections.abc import Callable

from bench.figure import Figure
from bench.figures import (
    accepting,
    at_rest,
    claim,
    dispatch,
    fan_out,
    global_limit,
    live_latency,
    memory,
    operators,
    reminders,
    retention,
    slow_provider,
    sockets,
    storm,
    sustained,
    talking,
    uploads,
    watched,
    webhooks,
)
from bench.office import Office
from bench.stage import Stage

FIGURES: dict[str, Callable[[Stage, Office], list[Figure]]] = {
    "dispatch": dispatch.measure,
    "watched": watched.measure,
    "retention": retention.measure,
    "slow-provider": slow_provider.measure,
    "sustained": sustained.measure,
    "accept": accepting.measure,
    "claim": claim.measure,
    "at-rest": at_rest.measure,
    "limit": global_limit.measure,
    "memory": memory.measure,
    "live-latency": live_latency.measure,
    "fan-out": fan_out.measure,
    "sockets": sockets.measure,
    "storm": storm.measure,
    "callbacks": webhooks.measure,
    "uploads": uploads.measure,
    "reminders": reminders.measure,
    "talking": talking.measure,
    "operators": operators.measure,
}
