"""The stream of events that clients follow: one capped Redis Stream for each organization.

An entry holds the events of one batch, so that what happened together travels together and costs one command.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from apps.core.redis import Redis

# So many batches back a client may resume; further back it takes a snapshot.
LONGEST = 10_000
EVENTS_AN_ENTRY = 200
# An organization that has been silent for so long costs no memory.
KEPT_SECONDS = 24 * 3600


def stream_of(organization_id: UUID) -> str:
    return f"recado:events:{organization_id}"


def append(client: Redis, events: Mapping[UUID, Sequence[Mapping[str, Any]]]) -> None:
    """By organization, in order. One round trip; an entry is there whole or not at all."""
    pipeline = client.pipeline(transaction=False)
    for organization_id, of_one in events.items():
        stream = stream_of(organization_id)
        for start in range(0, len(of_one), EVENTS_AN_ENTRY):
            body = orjson.dumps(of_one[start : start + EVENTS_AN_ENTRY])
            pipeline.xadd(stream, {"events": body}, maxlen=LONGEST, approximate=True)
        pipeline.expire(stream, KEPT_SECONDS)
    pipeline.execute()
