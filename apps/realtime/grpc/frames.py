"""What goes down a line, as gRPC writes it. The same words as in the frames of the WebSocket."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from apps.realtime.event import Event, Item
from apps.realtime.grpc.generated import recado_pb2 as pb

# Envelope, or named by fields of their own.
_NAMED = {"type", "offset", "message_id", "conversation_id", "organization_id", "at", "event_id"}


def written(item: Item) -> pb.Event:
    """None of its kinds is set where the contract has no word for it."""
    return _of_event(item) if isinstance(item, Event) else _of(item.data)


@lru_cache(maxsize=1024)
def _of_event(event: Event) -> pb.Event:
    """Once, however many clients get it."""
    return _of(event.data)


def _of(data: Mapping[str, Any]) -> pb.Event:
    offset = data.get("offset", "")
    kind = data.get("type")
    if kind == "status":
        return pb.Event(offset=offset, status=_status(data))
    if kind == "message":
        return pb.Event(offset=offset, message=_message(data))
    if kind == "subscribed":
        return pb.Event(offset=offset, subscribed=pb.Subscribed(**_topic(data), recovered=data["recovered"]))
    if kind == "gap":
        return pb.Event(offset=offset, gap=pb.Gap(**_topic(data)))
    return pb.Event(offset=offset)


def _status(data: Mapping[str, Any]) -> pb.StatusChange:
    return pb.StatusChange(
        message_id=data["message_id"],
        conversation_id=data["conversation_id"],
        organization_id=data["organization_id"],
        status=data["status"],
        kind=data["kind"],
        attempt=data["attempt"],
        at=moment(data["at"]),
        event_id=data["event_id"],
    )


def _message(data: Mapping[str, Any]) -> pb.InboundMessage:
    message = pb.InboundMessage(
        message_id=data["message_id"],
        conversation_id=data["conversation_id"],
        organization_id=data["organization_id"],
        at=moment(data["at"]),
        event_id=data.get("event_id", 0),
    )
    message.details.update({name: value for name, value in data.items() if name not in _NAMED})
    return message


def _topic(data: Mapping[str, Any]) -> dict[str, Any]:
    if conversation_id := data.get("conversation_id"):
        return {"conversation_id": str(conversation_id)}
    return {"organization": True}


def moment(given: str | datetime) -> Timestamp:
    timestamp = Timestamp()
    if isinstance(given, datetime):
        timestamp.FromDatetime(given)
    else:
        timestamp.FromJsonString(given)
    return timestamp
