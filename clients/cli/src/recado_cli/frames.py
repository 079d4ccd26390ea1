"""Events as plain values: the same names as in the frames of Recado's WebSocket."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict

from recado_cli.generated import recado_pb2 as pb

_TYPES = {"status", "message", "gap"}


def frame_of(event: pb.Event) -> dict[str, Any] | None:
    """None for what is no news: who one is, what one follows, and what this version has no word for."""
    kind = event.WhichOneof("kind")
    if kind not in _TYPES:
        return None
    said: dict[str, Any] = MessageToDict(
        getattr(event, kind), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    if kind == "gap" and said.pop("organization", False):
        said["scope"] = "organization"
    if "event_id" in said:
        said["event_id"] = int(said["event_id"])  # JSON of protobuf writes it as text
    details = said.pop("details", {})
    return {"type": kind, **details, **said, "offset": event.offset}


def snapshot_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """How a message of the REST API stands."""
    return {
        "type": "snapshot",
        "message_id": message["id"],
        "conversation_id": message["conversation_id"],
        "status": message["status"],
        "at": message["created_at"],
        "text": message["text"],
    }
