"""Evolution API, version 2, as far as sending goes. It echoes no id of ours, and calls each instance's webhook."""

import time
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import Callbacks, News, Post
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, Faults, Kind
from apps.channels.simulators.provider import (
    Delayed,
    Message,
    Provider,
    Said,
    cut,
    json_answer,
    pause,
    read_json_object,
)
from apps.channels.simulators.shelf import Shelf
from apps.channels.simulators.tally import Tally

_MOST_INSTANCES = 1000
_MOST_SENT = 10_000
_TOKEN_SECONDS = 600
_OUR_NUMBER = "5511900000000"
_PARTS = {"image": "imageMessage", "video": "videoMessage", "audio": "audioMessage", "document": "documentMessage"}
# What a method wants besides a number.
_NEEDED = {"sendText": ("text",), "sendMedia": ("mediatype", "media"), "sendWhatsAppAudio": ("audio",)}


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    headers: Mapping[str, str] = field(repr=False)
    events: frozenset[str]


@dataclass(slots=True)
class Instance:
    api_key: str = field(repr=False)
    webhook: Webhook | None = None


class Instances:
    """Those who sent something, with where they are called."""

    def __init__(self) -> None:
        self._known: dict[str, Instance] = {}

    def log_in(self, request: web.Request) -> Instance | None:
        key = request.headers.get("apikey", "")
        if not key or key.startswith("invalid"):
            return None
        instance = self._known.setdefault(request.match_info["instance"], Instance(key))
        instance.api_key = key
        if len(self._known) > _MOST_INSTANCES:
            del self._known[next(iter(self._known))]
        return instance

    def compose(self, news: Sequence[News]) -> Post | None:
        """Each callback tells one thing."""
        (told,) = news
        instance = self._known.get(told.account)
        if instance is None or instance.webhook is None:
            return None
        webhook, document = instance.webhook, orjson.loads(told.body)
        if document["event"].replace(".", "_").upper() not in webhook.events:
            return None
        envelope = {
            "instance": told.account,
            "destination": webhook.url,
            "date_time": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "sender": f"{_OUR_NUMBER}@s.whatsapp.net",
            "server_url": "http://localhost:8080",
            "apikey": instance.api_key,
        }
        return Post(webhook.url, _headers(webhook), orjson.dumps(document | envelope))


class Evolution(Provider[Message]):
    name = "evolution"

    def __init__(
        self,
        faults: Faults,
        delays: Delays,
        tally: Tally,
        callbacks: Callbacks,
        instances: Instances,
        *,
        shelf: Shelf,
    ) -> None:
        super().__init__(faults, delays, tally, callbacks, shelf=shelf)
        self._instances = instances
        # By the message that it came with, which is how Evolution is asked for it.
        self._sent: dict[str, str] = {}

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.post("/message/{method}/{instance}", self.send),
            web.post("/webhook/set/{instance}", self.set_webhook),
            web.get("/instance/connectionState/{instance}", self.show),
            web.post("/chat/getBase64FromMediaMessage/{instance}", self.hand_out),
        ]

    def new_message_id(self, run: str, number: int) -> str:
        return f"3EB0{run}{number:010X}"

    def accepted(self, account: str, message: Message, message_id: str) -> web.Response:
        sent = {
            "key": {"remoteJid": f"{message.to}@s.whatsapp.net", "fromMe": True, "id": message_id},
            "pushName": "Você",
            "status": "PENDING",
            "message": {"conversation": message.text},
            "messageType": "conversation",
            "messageTimestamp": int(time.time()),
            "instanceId": account,
            "source": "web",
        }
        return json_answer(sent, 201)

    def statuses(self, account: str, message: Message, message_id: str, starts_at: float) -> Sequence[Delayed]:
        delays = self.delays
        return [
            (delay, _update(account, message, message_id, status))
            for delay, status in (
                (delays.sent_after, "SERVER_ACK"),
                (delays.delivered_after, "DELIVERY_ACK"),
                (delays.read_after, "READ"),
            )
        ]

    def failure(self, account: str, message: Message, message_id: str, starts_at: float) -> Sequence[Delayed]:
        return [(self.delays.sent_after, _update(account, message, message_id, "ERROR"))]

    def credential(self, request: web.Request) -> str:
        return request.headers.get("apikey", "")

    def refusal(self, fault: Fault) -> web.Response:
        match fault.kind:
            # Of its own it has none: a proxy before it does.
            case Kind.RATE_LIMITED | Kind.PAIR_RATE_LIMITED:
                return _refused(429, "Too Many Requests", headers={"Retry-After": str(fault.retry_after)})
            case Kind.SERVER_ERROR:
                return _refused(500, "Internal Server Error", "Connection Closed")
            case Kind.INVALID_TOKEN:
                return _unauthorized()
            # It knows nobody who does not want to hear.
            case _:
                return _nobody(fault.to or "")

    def inbound(self, said: Said, message_id: str) -> News:
        message: dict[str, Any] = {"conversation": said.text}
        if said.media_url:
            part = {"url": "https://mmg.whatsapp.net/encrypted", "mimetype": f"{said.media_kind}/simulated",
                    "caption": said.text}  # fmt: skip
            message = {_PARTS.get(said.media_kind, "imageMessage"): part, "mediaUrl": said.media_url}
        if held := self.shelf.get(said.media):
            part |= {"mimetype": held.media_type, "fileName": held.name}
            # It keeps no files itself.
            del message["mediaUrl"]
            self._sent[message_id] = held.id
            if len(self._sent) > _MOST_SENT:
                del self._sent[next(iter(self._sent))]
        data = {
            "key": {"remoteJid": _address(said.sender), "fromMe": False, "id": message_id},
            "pushName": said.name or None,
            "status": "DELIVERY_ACK",
            "message": message,
            "contextInfo": {"stanzaId": said.reply_to} if said.reply_to else None,
            "messageType": next(iter(message)),
            "messageTimestamp": int(time.time()),
            "instanceId": said.account,
            "source": "android",
        }
        return News(said.account, orjson.dumps({"event": "messages.upsert", "data": data}))

    async def send(self, request: web.Request) -> web.Response:
        body = await self.body_of(request)
        if body is None:
            return cut(request)
        method, account = request.match_info["method"], request.match_info["instance"]
        if self._instances.log_in(request) is None:
            return await self.refuse(Kind.INVALID_TOKEN, _unauthorized())
        given = read_json_object(body) or {}
        missing = [name for name in ("number", *_NEEDED.get(method, ())) if not _text(given, name)]
        if method not in _NEEDED:
            return await self.refuse("malformed", _refused(404, "Not Found", f"Cannot POST {request.path}"))
        if missing:
            words = [f'requires property "{name}"' for name in missing]
            return await self.refuse("malformed", _refused(400, "Bad Request", words))
        number = given["number"]
        if not _is_number(number):
            return await self.refuse("malformed", _nobody(number))
        text = _text(given, "text") or orjson.dumps(given).decode()
        return await self.take(request, account, Message(number, text, text))

    async def set_webhook(self, request: web.Request) -> web.Response:
        given = read_json_object(await request.read()) or {}
        await pause(self.delays.latency)
        instance = self._instances.log_in(request)
        if instance is None:
            return _unauthorized()
        match given.get("webhook"):
            case {"enabled": True, "url": str(url), "headers": dict(headers), "events": [*events]}:
                texts = {name: value for name, value in headers.items() if isinstance(value, str)}
                instance.webhook = Webhook(url, texts, frozenset(map(str, events)))
            case {"enabled": False}:
                instance.webhook = None
            case _:
                return _refused(400, "Bad Request", ['requires property "webhook"'])
        return json_answer(given["webhook"], 201)

    async def hand_out(self, request: web.Request) -> web.Response:
        """What came with a message, within JSON."""
        given = read_json_object(await request.read()) or {}
        await pause(self.delays.latency)
        if self._instances.log_in(request) is None:
            return _unauthorized()
        match given:
            case {"message": {"key": {"id": str(message_id)}}} if held := self.shelf.get(
                self._sent.get(message_id, "")
            ):
                content = b64encode(held.content).decode()
                told = {"mediaType": _PARTS[held.kind], "fileName": held.name, "mimetype": held.media_type}
                return json_answer(told | {"base64": content}, 201)
        return _refused(400, "Bad Request", "Message not found")

    async def show(self, request: web.Request) -> web.Response:
        """An instance whose name begins with `closed` has lost its connection to WhatsApp."""
        account = request.match_info["instance"]
        if self._instances.log_in(request) is None:
            await pause(self.delays.latency)
            return _unauthorized()
        state = "close" if account.startswith("closed") else "open"
        return await self.show_facts(request, account, {"instance": {"instanceName": account, "state": state}})


def _update(account: str, message: Message, message_id: str, status: str) -> bytes:
    data = {
        "keyId": message_id,
        "remoteJid": f"{message.to}@s.whatsapp.net",
        "fromMe": True,
        "status": status,
        "instanceId": account,
        "messageId": f"c{message_id.lower()}",
    }
    return orjson.dumps({"event": "messages.update", "data": data})


def _headers(webhook: Webhook) -> dict[str, str]:
    """As its owner wants them; of a key, what it signs."""
    headers = {"Content-Type": "application/json", **webhook.headers}
    key = headers.pop("jwt_key", "")
    if key:
        now = int(time.time())
        claims = {"iat": now, "exp": now + _TOKEN_SECONDS, "app": "evolution", "action": "webhook"}
        headers["Authorization"] = f"Bearer {jwt.encode(claims, key, algorithm='HS256')}"
    return headers


def _refused(
    status: int, error: str, message: object = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    told = message if isinstance(message, list) else [message or error]
    return json_answer({"status": status, "error": error, "response": {"message": told}}, status, headers)


def _unauthorized() -> web.Response:
    return _refused(401, "Unauthorized")


def _nobody(number: str) -> web.Response:
    return _refused(400, "Bad Request", [{"jid": _address(number), "exists": False, "number": number}])


def _address(number: str) -> str:
    return f"{number.removeprefix('+')}@s.whatsapp.net"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and 5 <= len(text) <= 20


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""
