"""What an endpoint is told of an event: which message, and where it stands. Words only of what a person wrote."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from apps.callbacks.event_types import TEST_PING
from apps.messaging.engine.publish import STATUS_AFTER
from apps.messaging.statuses import EventKind

# With as many bytes of four to a letter and everything else, less than the 20 kB that receivers are asked to take.
LONGEST_TEXT = 3000


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a message, for one endpoint that wants to know."""

    organization_id: UUID
    endpoint_id: UUID
    event_id: int
    kind: str
    at: datetime
    # JSON, as it is stored.
    detail: str
    message_id: UUID
    conversation_id: UUID
    account_id: UUID
    channel: str
    reference: str
    address: str
    text: str

    @property
    def webhook_id(self) -> str:
        return f"msg_evt_{self.event_id}"

    @property
    def type(self) -> str:
        return f"message.{self.kind}"

    @property
    def payload(self) -> str:
        kind, detail = EventKind(self.kind), orjson.loads(self.detail)
        data: dict[str, Any] = {
            "message_id": self.message_id,
            "conversation_id": self.conversation_id,
            "account_id": self.account_id,
            "channel": self.channel,
            "status": detail.get("status") or STATUS_AFTER[kind],
            "reference": self.reference,
        }
        if kind is EventKind.FAILED:
            data["error"] = {
                "class": detail.get("error", ""),
                "code": detail.get("code", ""),
                "detail": detail.get("detail", ""),
            }
        if kind is EventKind.RECEIVED:
            data["from"] = self.address
            data["text"] = self.text[:LONGEST_TEXT]
            data["is_text_cut"] = len(self.text) > LONGEST_TEXT
        return _written(self.type, self.at, data)


def test_payload(endpoint_id: UUID, at: datetime) -> str:
    return _written(TEST_PING, at, {"endpoint_id": endpoint_id})


def _written(event_type: str, at: datetime, data: dict[str, Any]) -> str:
    written = orjson.dumps(
        {"type": event_type, "timestamp": at.astimezone(UTC), "data": data}, option=orjson.OPT_UTC_Z
    )
    return written.decode()
