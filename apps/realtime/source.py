"""Reading the streams, from an event loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from redis.asyncio import Redis

from apps.realtime.offset import Position
from apps.realtime.stream import EPOCH, new_epoch, stream_of

PAGE = 50

# KEYS: epoch, stream. ARGV: a fresh epoch, from which entry on ('' is none), how many.
# Returns the epoch, the stream's last id, the id of its first entry when older ones are gone, and the entries.
_READ = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local epoch = redis.call('GET', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 0 then return { epoch, '0-0', '', {} } end
local info = redis.call('XINFO', 'STREAM', KEYS[2])
local about = {}
for i = 1, #info, 2 do about[info[i]] = info[i + 1] end
local first = ''
if about['entries-added'] > about['length'] and about['first-entry'] then first = about['first-entry'][1] end
local entries = {}
if ARGV[2] ~= '' then entries = redis.call('XRANGE', KEYS[2], ARGV[2], '+', 'COUNT', ARGV[3]) end
return { epoch, about['last-generated-id'], first, entries }
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """An entry of a stream: events that were published together."""

    entry_id: str
    events: list[dict[str, Any]]
    # Of those whose messages are sampled, by their places. Clients do not see them.
    traces: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Page:
    epoch: str
    # Behind everything that is in the stream.
    end: Position
    # Where what the stream still holds begins; None when it holds all that ever was.
    begins: Position | None
    batches: list[Batch]
    # Whether it reaches the end.
    is_last: bool


class Source:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._read = client.register_script(_READ)

    async def epoch(self) -> str | None:
        """None when Redis was emptied."""
        epoch: Any = await self._client.get(EPOCH)
        return epoch.decode() if epoch else None

    async def page(self, organization_id: UUID, start: Position | None = None) -> Page:
        """The entries from where this position is in; without it only how things stand."""
        said: Any = await self._read(
            keys=[EPOCH, stream_of(organization_id)],
            args=[new_epoch(), start.entry_id if start else "", PAGE],
        )
        epoch, last_id, first_id, entries = said
        return Page(
            epoch.decode(),
            Position.behind(last_id.decode()),
            Position.behind(first_id.decode())._replace(place=-1) if first_id else None,
            [batch_of(entry_id, _fields(flat)) for entry_id, flat in entries],
            len(entries) < PAGE,
        )


def batch_of(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Batch:
    events = orjson.loads(fields[b"events"])
    traces = {n: event.pop("traceparent") for n, event in enumerate(events) if "traceparent" in event}
    return Batch(entry_id.decode(), events, traces)


def _fields(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
