"""Messages over gRPC: a message in another writing. What is decided, is decided where REST decides it."""

from math import isfinite
from typing import Any
from uuid import UUID

import orjson
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from apps.accounts.idempotency import carry_out_once
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.core.api.json import FastJSONRenderer
from apps.core.api.problems import field_error
from apps.core.asgi.django_threads import Threads
from apps.messaging.api.content_bodies import SAYING
from apps.messaging.api.messages import WITH_PARTIES
from apps.messaging.api.readers import MessageReader
from apps.messaging.api.sending import send
from apps.messaging.models import Message
from apps.realtime.grpc.calls import Caller, Context, answered, traced
from apps.realtime.grpc.frames import moment
from apps.realtime.grpc.generated import recado_pb2 as pb
from apps.realtime.grpc.generated.recado_pb2_grpc import MessagesServicer

REPLAYED = "idempotency-replayed"
# What REST calls the same request: a key that came there is recognized here.
_TARGET = "POST /v1/messages"
_WORDS = ("text", "account_id", "to", "conversation_id", "priority", "reference", "category", "reply_to")
# Beyond it, a number of JavaScript's and protobuf's kind is no longer whole.
_LARGEST_WHOLE = 2**53


class Messages(MessagesServicer):
    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    @answered
    @traced
    async def Send(self, request: pb.SendRequest, context: Context) -> pb.Message:  # noqa: N802 - the contract's name
        message, is_replayed = await self._threads.run(_send, Caller.of(context), request)
        if is_replayed:
            context.set_trailing_metadata(((REPLAYED, "true"),))
        return message

    @answered
    @traced
    async def Get(self, request: pb.GetRequest, context: Context) -> pb.Message:  # noqa: N802 - the contract's name
        return await self._threads.run(_get, Caller.of(context), request)


def _send(caller: Caller, request: pb.SendRequest) -> tuple[pb.Message, bool]:
    principal = caller.admitted(Scope.MESSAGES_WRITE)
    answer = _send_once(principal, request.idempotency_key, _body_of(request))
    if isinstance(answer, Response):
        return _as_message(answer.data), False
    return _from_json(answer.content), True  # type: ignore[attr-defined]


def _send_once(principal: Principal, key: str, body: dict[str, Any]) -> HttpResponseBase:
    """A Response where it was carried out now, else the answer that was kept."""

    def carry_out() -> HttpResponseBase:
        return Response(MessageReader(send(principal.organization, body)).data, status=202)

    return carry_out_once(principal, key, _TARGET, body, carry_out) if key else carry_out()


def _get(caller: Caller, request: pb.GetRequest) -> pb.Message:
    principal = caller.admitted(Scope.MESSAGES_READ)
    try:
        message_id = UUID(request.message_id)
    except ValueError as error:
        raise NotFound from error
    messages = Message.objects.for_organization(principal.organization).select_related(*WITH_PARTIES)
    message = messages.filter(pk=message_id).first()
    if message is None:
        raise NotFound
    return _as_message(MessageReader(message).data)


def _body_of(request: pb.SendRequest) -> dict[str, Any]:
    """As the body of a request to REST. What is empty was not given."""
    body: dict[str, Any] = _fields(request.content)
    body |= {name: value for name in _WORDS if (value := getattr(request, name))}
    if not body.keys() & SAYING:
        body["text"] = ""  # so that it is said what is wrong with it
    if request.HasField("scheduled_at"):
        body["scheduled_at"] = _iso(request.scheduled_at)
    if request.HasField("expires_at"):
        body["expires_at"] = _iso(request.expires_at)
    if request.HasField("metadata"):
        body["metadata"] = _fields(request.metadata)
    return body


def _iso(timestamp: Timestamp) -> str:
    try:
        return timestamp.ToJsonString()
    except ValueError:
        return ""  # beyond the calendar: refused like any other moment that cannot be read


def _fields(struct: Struct) -> dict[str, Any]:
    return {name: _plain(value) for name, value in struct.fields.items()}


def _plain(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _fields(value.struct_value)
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    if kind == "number_value":
        return _number(value.number_value)
    return getattr(value, kind) if kind in {"string_value", "bool_value"} else None


def _number(number: float) -> int | float:
    if not isfinite(number):
        raise field_error("metadata", "invalid", _("Numbers that are not finite have no place in JSON."))
    return int(number) if number.is_integer() and abs(number) <= _LARGEST_WHOLE else number


def _as_message(shown: Any) -> pb.Message:
    return _from_json(FastJSONRenderer().render(shown))


def _from_json(written: bytes) -> pb.Message:
    """Of what REST answers: the one description of what a message shows."""
    shown: dict[str, Any] = orjson.loads(written)
    metadata, content, error = shown.pop("metadata"), shown.pop("content"), shown.pop("error")
    fields: dict[str, Any] = {
        name: moment(value) if name.endswith("_at") else value
        for name, value in shown.items()
        if value is not None
    }
    message = pb.Message(**fields)
    message.metadata.update(metadata)
    message.content.update(content)
    if error is not None:
        message.error.CopyFrom(pb.Error(error_class=error["class"], code=error["code"], detail=error["detail"]))
    return message
