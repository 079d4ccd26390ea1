"""The stream of events that clients follow: one capped Redis Stream for each organization.

An entry holds events that were published together, which so travel together. Any number of publishers append at
once: one script takes a batch if it goes on from where the streams stand, without what another has appended
already, and refuses one that was read too early. The epoch names one life of these streams. It changes when they
do not hold what the database says was published: Redis was emptied, or came back without its last second, or the
database is an older one.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from redis.commands.core import Script

from apps.core.redis import Redis

EPOCH = "recado:events:epoch"
# Where the streams stand: how far the database's events have come into them, in the publisher's words.
_POSITION = "recado:events:position"
# How far back a client may resume: so many entries, so many bytes, so many seconds. Further back it takes a
# snapshot. An organization that has been silent for so long costs no memory.
LONGEST = 10_000
MOST_BYTES = 64 * 1024 * 1024
KEPT_SECONDS = 24 * 3600
EVENTS_AN_ENTRY = 200

# KEYS: epoch, position, streams. ARGV: a fresh epoch, where this batch starts and ends, the caps, and for each
# event: which of the KEYS is its stream, where the streams stand after it, the event. Returns 0 if it is refused.
_APPEND = """
local FIRST = 8
local first = FIRST
local position = redis.call('GET', KEYS[2])
if position and position ~= ARGV[2] then
  first = nil
  for i = FIRST, #ARGV, 3 do
    if ARGV[i + 1] == position then first = i + 3 end
  end
  if not first then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'NX')
redis.call('SET', KEYS[2], ARGV[3])
local waiting = {}
local function write(stream, events)
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[5], '*', 'events', '[' .. table.concat(events, ',') .. ']')
end
for i = first, #ARGV, 3 do
  local stream = KEYS[tonumber(ARGV[i])]
  local events = waiting[stream]
  if not events then
    events = {}
    waiting[stream] = events
  end
  events[#events + 1] = ARGV[i + 2]
  if #events == tonumber(ARGV[7]) then
    write(stream, events)
    waiting[stream] = {}
  end
end
for stream, events in pairs(waiting) do
  if #events > 0 then write(stream, events) end
  if redis.call('MEMORY', 'USAGE', stream) > tonumber(ARGV[6]) then
    redis.call('XTRIM', stream, 'MAXLEN', math.floor(redis.call('XLEN', stream) / 2))
  end
  redis.call('EXPIRE', stream, ARGV[4])
end
return 1
"""

# KEYS: epoch, position. ARGV: a fresh epoch, where the streams stood when this was decided, where they should.
_BEGIN_AGAIN = """
if redis.call('GET', KEYS[2]) == ARGV[2] then
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('SET', KEYS[2], ARGV[3])
end
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on its way into the stream; `position` is where the streams stand after it."""

    organization_id: UUID | str
    position: str
    event: Mapping[str, Any]


def stream_of(organization_id: UUID | str) -> str:
    return f"recado:events:{organization_id}"


def new_epoch() -> str:
    return secrets.token_hex(4)


def append(client: Redis, start: str, entries: Sequence[Entry]) -> bool:
    """One round trip. `start` is where the first of them follows. False: others were faster; look again."""
    streams: dict[UUID | str, int] = {}
    arguments: list[Any] = []
    for entry in entries:
        key = streams.setdefault(entry.organization_id, len(streams) + 3)
        arguments += (key, entry.position, orjson.dumps(entry.event))
    taken = _scripts(client).append(
        keys=[EPOCH, _POSITION, *(stream_of(organization_id) for organization_id in streams)],
        args=[
            new_epoch(),
            start,
            entries[-1].position,
            KEPT_SECONDS,
            LONGEST,
            MOST_BYTES,
            EVENTS_AN_ENTRY,
            *arguments,
        ],
    )
    return bool(taken)


def position(client: Redis) -> str | None:
    """Where the streams stand; None when Redis was emptied."""
    found: Any = client.get(_POSITION)
    return found.decode() if found else None


def begin_again(client: Redis, seen: str, position: str) -> None:
    """A new epoch, unless the streams have moved on from where they were seen."""
    _scripts(client).begin_again(keys=[EPOCH, _POSITION], args=[new_epoch(), seen, position])


class _Scripts(NamedTuple):
    append: Script
    begin_again: Script


@lru_cache(maxsize=4)
def _scripts(client: Redis) -> _Scripts:
    return _Scripts(client.register_script(_APPEND), client.register_script(_BEGIN_AGAIN))
