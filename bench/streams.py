"""What came to a stream of events, and when, by Redis' clock, which is this machine's. Needs Django."""

from collections.abc import Iterator
from typing import Any

import orjson

from apps.core.redis import redis_client


def entries(stream: str) -> Iterator[tuple[float, list[dict[str, Any]]]]:
    """Each with its moment and its events."""
    found: Any = redis_client().xrange(stream)
    for entry_id, fields in found:
        yield moment(entry_id), orjson.loads(fields[b"events"])


def last_moment(stream: str) -> float:
    found: Any = redis_client().xrevrange(stream, count=1)
    return moment(found[0][0])


def moment(entry_id: bytes) -> float:
    return int(entry_id.partition(b"-")[0]) / 1000
