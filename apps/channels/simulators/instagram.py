"""Instagram's messaging API: what is sent, and what people write. It tells what was read but not what was
delivered, and echoes the message but none of our ids.
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import News
from apps.channels.simulators.faults import Kind
from apps.channels.simulators.graph import BAD_TOKEN, GraphApi, GraphError, Rejected, is_link, noted
from apps.channels.simulators.provider import Delayed, Message, Said
from apps.channels.simulators.shelf import Held, handed_out

_LONGEST_TEXT_BYTES = 1000
_LONGEST_TITLE = 20
_LONGEST_PAYLOAD = 1000
_MOST_QUICK_REPLIES = 13
_ATTACHMENTS = frozenset({"image", "audio", "video"})
_SOME_ACCOUNT = "17841400000000000"
_DIGITS_AT_THE_END = re.compile(r"[0-9]+$")

_TOO_MANY_CALLS = GraphError(429, 613, "(#613) Calls to this api have exceeded the rate limit.")
_NOT_AVAILABLE = GraphError(400, 551, "(#551) This person isn't available right now.", subcode=1545041)


@dataclass(frozen=True, slots=True)
class InstagramMessage(Message):
    said: Mapping[str, Any]
    """As it is echoed."""


class Instagram(GraphApi[InstagramMessage]):
    name = "instagram"
    # It has no limit for a pair and no opting out: it says then what comes closest.
    errors = {
        Kind.RATE_LIMITED: _TOO_MANY_CALLS,
        Kind.PAIR_RATE_LIMITED: _TOO_MANY_CALLS,
        Kind.SERVER_ERROR: GraphError(
            500, 2, "An unexpected error has occurred. Please retry your request later.", is_transient=True
        ),
        Kind.BLOCKED: _NOT_AVAILABLE,
        Kind.OPTED_OUT: _NOT_AVAILABLE,
        Kind.INVALID_TOKEN: BAD_TOKEN,
    }

    def account(self, named: str, token: str) -> str:
        """`me` is whom the token was issued to: here, the digits that it ends with."""
        if named != "me":
            return named
        digits = _DIGITS_AT_THE_END.search(token)
        return digits[0] if digits else _SOME_ACCOUNT

    def read_message(self, body: Mapping[str, Any]) -> InstagramMessage:
        recipient, content = body.get("recipient"), body.get("message")
        if not isinstance(recipient, dict) or not isinstance(to := recipient.get("id"), str) or not to:
            raise _invalid("recipient")
        if not isinstance(content, dict):
            raise _invalid("message")
        match body.get("reply_to"):
            case None | {"mid": str()}:
                pass
            case _:
                raise _invalid("reply_to[mid]")
        titles = _quick_replies(content.get("quick_replies"))
        if content.get("text") is None and "attachment" in content:
            kind, url = _attachment(content["attachment"])
            told = noted("", f"{kind} {url}", *titles)
            return InstagramMessage(to, told, told, {"attachments": [{"type": kind, "payload": {"url": url}}]})
        text = _text(content)
        told = noted(text, *titles)
        return InstagramMessage(to, told, told, {"text": text})

    def new_message_id(self, run: str, number: int) -> str:
        return f"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE{run}{number:014d}"

    def receipt(self, message: InstagramMessage, message_id: str) -> object:
        return {"recipient_id": message.to, "message_id": message_id}

    def statuses(
        self, account: str, message: InstagramMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        read_after = self.delays.read_after
        read = _event(message.to, account, starts_at + read_after, read={"mid": message_id})
        return [*self.failure(account, message, message_id, starts_at), (read_after, orjson.dumps(read))]

    def failure(
        self, account: str, message: InstagramMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        """It says nothing of failures: what does not arrive is echoed, and never read."""
        sent_after = self.delays.sent_after
        echoed = {"mid": message_id, **message.said, "is_echo": True}
        return [(sent_after, orjson.dumps(_event(account, message.to, starts_at + sent_after, message=echoed)))]

    def inbound(self, said: Said, message_id: str) -> News:
        written: dict[str, Any] = {"mid": message_id}
        if text := said.text or said.button:
            written["text"] = text
        if said.button:
            written["quick_reply"] = {"payload": said.button}
        if said.media_url:
            kind = "file" if said.media_kind == "document" else said.media_kind or "image"
            written["attachments"] = [{"type": kind, "payload": {"url": said.media_url}}]
        if said.reply_to:
            written["reply_to"] = {"mid": said.reply_to}
        return News(said.account, orjson.dumps(_event(said.sender, said.account, time.time(), message=written)))

    def routes(self) -> Iterable[web.RouteDef]:
        return [*super().routes(), web.get("/cdn/files/{id}", self.hand_out)]

    def reference(self, held: Held, said: Said, origin: str) -> str:
        return f"{origin}/instagram/cdn/files/{held.id}"

    async def hand_out(self, request: web.Request) -> web.Response:
        """To whoever has the link."""
        return handed_out(request, self.shelf.get(request.match_info["id"]))

    def facts(self, account: str) -> object:
        name = f"simulated.{account}"
        return {"id": account, "user_id": account, "username": name, "name": name, "account_type": "BUSINESS"}


def envelope(news: Mapping[str, Sequence[bytes]]) -> bytes:
    return orjson.dumps(
        {
            "object": "instagram",
            "entry": [
                {"id": account, "messaging": [orjson.Fragment(event) for event in of_account]}
                for account, of_account in news.items()
            ],
        }
    )


def _event(sender: str, recipient: str, at: float, **happened: Mapping[str, Any]) -> dict[str, Any]:
    people = {"sender": {"id": sender}, "recipient": {"id": recipient}}
    return people | {"timestamp": int(at * 1000)} | happened


def _text(content: Mapping[str, Any]) -> str:
    text = content.get("text")
    if not isinstance(text, str) or not text:
        raise _invalid("message[text]")
    if len(text.encode()) > _LONGEST_TEXT_BYTES:
        raise Rejected(GraphError(400, 100, "(#100) Length of param message[text] must be at most 1000 bytes"))
    return text


def _attachment(attachment: object) -> tuple[str, str]:
    """What it is, and where it lies."""
    match attachment:
        case {"type": str(kind), "payload": {"url": str(url)}} if kind in _ATTACHMENTS and is_link(url):
            return kind, url
    raise _invalid("message[attachment]")


def _quick_replies(replies: object) -> list[str]:
    """Their titles."""
    if replies is None:
        return []
    if not isinstance(replies, list) or not 1 <= len(replies) <= _MOST_QUICK_REPLIES:
        raise _invalid("message[quick_replies]")
    titles = []
    for reply in replies:
        match reply:
            case {"content_type": "text", "title": str(title), "payload": str(payload)}:
                if not 0 < len(title) <= _LONGEST_TITLE or len(payload) > _LONGEST_PAYLOAD:
                    raise _invalid("message[quick_replies][title]")
                titles.append(title)
            case _:
                raise _invalid("message[quick_replies]")
    return titles


def _invalid(name: str) -> Rejected:
    return Rejected(GraphError(400, 100, f"(#100) Invalid parameter: {name}"))
