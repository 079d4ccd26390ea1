"""One file for each way in which things go wrong."""

from collections.abc import Callable, Mapping

from chaos.scenarios import (
    beats,
    inbound,
    kills,
    postgres,
    provider,
    receipts,
    redis,
    rolling,
    stopped,
    stream,
    unknown,
)
from chaos.trial import Row, Scale, Trial

SCENARIOS: Mapping[str, Callable[[Trial, Scale], Row]] = {
    "kills": kills.by_force,
    "stops": kills.by_request,
    "rolling": rolling.release,
    "redis-emptied": redis.emptied,
    "redis-down": redis.down,
    "postgres": postgres.away,
    "provider-fails": provider.fails,
    "unknown": unknown.outcomes,
    "two-beats": beats.two,
    "frozen": stopped.worker,
    "receipts": receipts.disturbed,
    "inbound": inbound.workers_die,
    "stream-redis": stream.redis_emptied,
    "stream-cuts": stream.cuts,
    "stream-hostile": stream.hostile_clients,
}
# Here nobody dies, so no lease has to end; and no answer may be missing, however busy the machine is that the
# providers share with all of us. They are given as long as in production.
PATIENT = frozenset({"stops", "rolling"})
