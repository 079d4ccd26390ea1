"""Events that a test puts into the streams, as the publisher does."""

from itertools import count
from typing import Any
from uuid import UUID

from apps.accounts.models import Organization
from apps.core import clock
from apps.core.ids import new_id
from apps.core.redis import redis_client
from apps.realtime.stream import Entry, append


class Tape:
    def __init__(self) -> None:
        self._numbers = count(1)
        self._position = "0/0"

    def play(self, organization: Organization, conversation_id: UUID, *statuses: str, **values: Any) -> list[int]:
        """One entry; the events' ids."""
        entries = [self._entry(organization, conversation_id, status, values) for status in statuses or ("sent",)]
        assert append(redis_client(), self._position, entries)
        self._position = entries[-1].position
        return [entry.event["event_id"] for entry in entries]

    def play_many(self, organization: Organization, conversation_id: UUID, times: int) -> list[int]:
        return [number for _ in range(times) for number in self.play(organization, conversation_id)]

    def _entry(self, organization: Organization, conversation_id: UUID, status: str, values: Any) -> Entry:
        number = next(self._numbers)
        event = {
            "type": "status",
            "event_id": number,
            "message_id": new_id(),
            "conversation_id": conversation_id,
            "organization_id": organization.id,
            "kind": status,
            "status": status,
            "attempt": 1,
            "at": clock.now(),
        }
        return Entry(organization.id, f"1/{number}", event | values)
