"""WhatsApp's Cloud API: what is sent, and what people write. Our own id comes back in every status."""

import base64
import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import News
from apps.channels.simulators.faults import Kind
from apps.channels.simulators.graph import BAD_TOKEN, GraphApi, GraphError, token_of
from apps.channels.simulators.provider import Delayed, Message, Said
from apps.channels.simulators.shelf import Held, handed_out, is_media_id
from apps.channels.simulators.whatsapp_content import invalid, missing, read_content

_LONGEST_OPAQUE = 512
# So begin the statuses, and nothing else that is told.
_STATUS = b'{"status":'
_NO_SUCH_OBJECT = GraphError(
    400, 100, "Unsupported get request. Object with ID does not exist", subcode=33, type="GraphMethodException"
)
_MEDIA_TYPES = {"image": "image/jpeg", "audio": "audio/ogg", "video": "video/mp4", "sticker": "image/webp"}


@dataclass(frozen=True, slots=True)
class WhatsAppMessage(Message):
    wa_id: str


class WhatsApp(GraphApi[WhatsAppMessage]):
    name = "whatsapp"
    errors = {
        Kind.RATE_LIMITED: GraphError(
            429, 130429, "(#130429) Rate limit hit", details="Cloud API message throughput has been reached."
        ),
        Kind.PAIR_RATE_LIMITED: GraphError(
            429,
            131056,
            "(#131056) (Business Account, Consumer Account) pair rate limit hit",
            details="Too many messages sent from this phone number to the same phone number.",
        ),
        Kind.SERVER_ERROR: GraphError(
            500, 131000, "(#131000) Something went wrong", details="An unknown error happened."
        ),
        Kind.BLOCKED: GraphError(
            400, 131026, "(#131026) Message undeliverable", details="The message could not be delivered."
        ),
        Kind.OPTED_OUT: GraphError(
            400,
            131050,
            "(#131050) User has stopped marketing messages",
            details="The recipient chose to stop receiving messages from this business.",
        ),
        Kind.INVALID_TOKEN: BAD_TOKEN,
    }

    def read_message(self, body: Mapping[str, Any]) -> WhatsAppMessage:
        if body.get("messaging_product") != "whatsapp":
            raise invalid("messaging_product")
        to = body.get("to")
        if not to:
            raise missing("to")
        if not isinstance(to, str) or not _is_number(digits := to.removeprefix("+")):
            raise invalid("to")
        opaque = body.get("biz_opaque_callback_data", "")
        if not isinstance(opaque, str) or len(opaque) > _LONGEST_OPAQUE:
            raise invalid("biz_opaque_callback_data")
        match body.get("context"):
            case None | {"message_id": str()}:
                return WhatsAppMessage(to, opaque, read_content(body), digits)
        raise invalid("context.message_id")

    def new_message_id(self, run: str, number: int) -> str:
        return "wamid." + base64.b64encode(f"{run}{number:014d}".encode()).decode()

    def receipt(self, message: WhatsAppMessage, message_id: str) -> object:
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": message.to, "wa_id": message.wa_id}],
            "messages": [{"id": message_id}],
        }

    def statuses(
        self, account: str, message: WhatsAppMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        # Written once, and the rest put before it: this is the most frequent thing that the program does.
        rest = orjson.dumps(_of(message, message_id))[1:]
        delays = self.delays
        return [
            (delay, _STATUS + b'"%b","timestamp":"%d",%b' % (status, starts_at + delay, rest))
            for delay, status in (
                (delays.sent_after, b"sent"),
                (delays.delivered_after, b"delivered"),
                (delays.read_after, b"read"),
            )
        ]

    def failure(
        self, account: str, message: WhatsAppMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        delay = self.delays.sent_after
        title, details = "Message undeliverable", "The message could not be delivered."
        error = {"code": 131026, "title": title, "message": title, "error_data": {"details": details}}
        failed = {"status": "failed", "timestamp": str(int(starts_at + delay))} | _of(message, message_id)
        return [(delay, orjson.dumps(failed | {"errors": [error]}))]

    def inbound(self, said: Said, message_id: str) -> News:
        wa_id = said.sender.removeprefix("+")
        contact = {"profile": {"name": said.name or wa_id}, "wa_id": wa_id, "user_id": _user_id(wa_id)}
        kind, content = _written(said, self.shelf.get(said.media))
        sender = {"from": wa_id, "from_user_id": _user_id(wa_id)}
        message: dict[str, Any] = sender | {"id": message_id, "timestamp": str(int(time.time())), "type": kind}
        message[kind] = content
        if said.reply_to:
            message["context"] = {"from": _display_number(said.account), "id": said.reply_to}
        return News(said.account, orjson.dumps({"contact": contact, "message": message}))

    def routes(self) -> Iterable[web.RouteDef]:
        return [*super().routes(), web.get("/lookaside/attachments/{id}", self.hand_out)]

    async def show(self, request: web.Request) -> web.Response:
        """An account, or where a file lies that a person sent."""
        media_id = request.match_info["account"]
        if token_of(request) is None or not is_media_id(media_id):
            return await super().show(request)
        held = self.shelf.get(media_id)
        if held is None:
            return await self.refuse("malformed", _NO_SUCH_OBJECT.answer())
        return await self.show_facts(request, "", _file(held, str(request.url.origin())))

    async def hand_out(self, request: web.Request) -> web.Response:
        if token_of(request) is None:
            return BAD_TOKEN.answer()
        return handed_out(request, self.shelf.get(request.match_info["id"]))

    def facts(self, account: str) -> object:
        return {
            "id": account,
            "verified_name": f"Simulated number {account}",
            "display_phone_number": _display_number(account),
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
        }


def envelope(news: Mapping[str, Sequence[bytes]]) -> bytes:
    return orjson.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": f"9{account}",  # of the business account that holds the number
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {
                                    "display_phone_number": _display_number(account),
                                    "phone_number_id": account,
                                },
                            }
                            | _told(of_account),
                        }
                    ],
                }
                for account, of_account in news.items()
            ],
        }
    )


def _told(news: Sequence[bytes]) -> dict[str, Any]:
    """Statuses as they are, and what people wrote with who they are."""
    statuses = [orjson.Fragment(each) for each in news if each.startswith(_STATUS)]
    written = [orjson.loads(each) for each in news if not each.startswith(_STATUS)]
    told: dict[str, Any] = {"statuses": statuses} if statuses else {}
    if written:
        contacts = {each["contact"]["wa_id"]: each["contact"] for each in written}
        told |= {"contacts": [*contacts.values()], "messages": [each["message"] for each in written]}
    return told


def _of(message: WhatsAppMessage, message_id: str) -> dict[str, str]:
    same = {"id": message_id, "recipient_id": message.wa_id}
    return same | {"biz_opaque_callback_data": message.key} if message.key else same


def _written(said: Said, held: Held | None) -> tuple[str, Mapping[str, Any]]:
    """What kind of message a person writes, and the object that is named after it."""
    if said.button:
        reply = {"id": said.button, "title": said.text or said.button}
        return "interactive", {"type": "button_reply", "button_reply": reply}
    if not said.media_url:
        return "text", {"body": said.text}
    kind = said.media_kind or "image"
    media = {"id": said.media_url, "mime_type": _MEDIA_TYPES.get(kind, "application/octet-stream"), "sha256": ""}
    if held is not None:
        media |= {"mime_type": held.media_type, "sha256": _sha256(held)}
        media |= {"filename": held.name} if kind == "document" else {}
    return kind, media | {"caption": said.text} if said.text else media


def _file(held: Held, origin: str) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "url": f"{origin}/whatsapp/lookaside/attachments/{held.id}",
        "mime_type": held.media_type,
        "sha256": _sha256(held),
        "file_size": len(held.content),
        "id": held.id,
    }


def _sha256(held: Held) -> str:
    return hashlib.sha256(held.content).hexdigest()


def _user_id(wa_id: str) -> str:
    """Everybody has one, which begins with their country; here, with none."""
    return f"ZZ.{wa_id}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and 5 <= len(text) <= 20


def _display_number(account: str) -> str:
    return f"+{account}"
