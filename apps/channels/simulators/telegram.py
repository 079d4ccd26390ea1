"""Telegram's Bot API, as far as messages go. It tells nothing of what becomes of them; what people write, it posts
to where the bot wants it.
"""

import base64
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import Callbacks, News, Post
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, Faults, Kind
from apps.channels.simulators.provider import Delayed, Provider, Said, cut, json_answer, pause
from apps.channels.simulators.shelf import Held, Shelf, handed_out
from apps.channels.simulators.tally import Tally
from apps.channels.simulators.telegram_requests import (
    CHAT,
    FORM,
    MEDIA,
    NOT_FOUND,
    UNAUTHORIZED,
    BotError,
    Rejected,
    TelegramMessage,
    Webhook,
    bad,
    bot_of,
    form_of,
    parameters_of,
    read_message,
    read_webhook,
    text_at,
)

_TOO_MANY = BotError(429, "Too Many Requests")
_BLOCKED = BotError(403, "Forbidden: bot was blocked by the user")
# What it hands out to bots.
_LARGEST_FILE = 20 * 1024 * 1024
# What it says of a file that it never fetches.
_FACTS: Mapping[str, Mapping[str, int]] = {
    "photo": {"width": 1280, "height": 960},
    "audio": {"duration": 3},
    "video": {"width": 1280, "height": 720, "duration": 3},
    "document": {},
}


class Webhooks(dict[str, Webhook]):
    """By bot."""

    def compose(self, news: Sequence[News]) -> Post | None:
        webhook = self.get(news[0].account)
        if webhook is None or not webhook.url:
            return None
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        return Post(webhook.url, headers, news[0].body)


class Telegram(Provider[TelegramMessage]):
    name = "telegram"
    # It does not say whether a limit was the chat's or the bot's, and knows no opting out but blocking.
    errors = {
        Kind.RATE_LIMITED: _TOO_MANY,
        Kind.PAIR_RATE_LIMITED: _TOO_MANY,
        Kind.SERVER_ERROR: BotError(500, "Internal Server Error"),
        Kind.BLOCKED: _BLOCKED,
        Kind.OPTED_OUT: _BLOCKED,
        Kind.INVALID_TOKEN: UNAUTHORIZED,
    }

    def __init__(
        self,
        faults: Faults,
        delays: Delays,
        tally: Tally,
        callbacks: Callbacks,
        webhooks: Webhooks,
        *,
        shelf: Shelf,
    ) -> None:
        super().__init__(faults, delays, tally, callbacks, shelf=shelf)
        self._webhooks = webhooks

    def routes(self) -> Iterable[web.RouteDef]:
        address = "/bot{token}/{method}"
        return [
            web.get(address, self.call, allow_head=False),
            web.post(address, self.call),
            web.get("/file/bot{token}/files/{id}", self.hand_out),
        ]

    async def call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        answer = self._send if method == "sendMessage" or method in MEDIA else self._manage
        return await answer(request, method)

    async def hand_out(self, request: web.Request) -> web.Response:
        try:
            bot_of(request)
        except Rejected as rejected:
            return rejected.error.answer()
        return handed_out(request, self.shelf.get(request.match_info["id"]))

    def new_message_id(self, run: str, number: int) -> str:
        """Telegram counts in each chat by itself. Here all are counted together, from elsewhere in every run."""
        return str(int(run[:5], 16) * 10**9 + number)

    def accepted(self, account: str, message: TelegramMessage, message_id: str) -> web.Response:
        chat = _chat(message.to)
        sent: dict[str, Any] = {"from": _bot(account), **_message(chat, message_id)}
        if message.media:
            sent |= _file(message.media, message.url) | ({"caption": message.caption} if message.caption else {})
        else:
            sent["text"] = message.text
        if message.keyboard:
            sent["reply_markup"] = {"inline_keyboard": message.keyboard}
        if message.answers:
            sent["reply_to_message"] = _message(chat, message.answers)
        return json_answer({"ok": True, "result": sent})

    def statuses(
        self, account: str, message: TelegramMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        return []

    def failure(
        self, account: str, message: TelegramMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        return []

    def credential(self, request: web.Request) -> str:
        return request.match_info["token"]

    def refusal(self, fault: Fault) -> web.Response:
        limited = fault.kind in {Kind.RATE_LIMITED, Kind.PAIR_RATE_LIMITED}
        return self.errors[fault.kind].answer(fault.retry_after if limited else None)

    def accounts(self) -> Collection[str]:
        """The bots that want to hear what people write. A bot's number is a part of its token: nobody shows it."""
        return [bot for bot, webhook in self._webhooks.items() if webhook.url]

    def inbound(self, said: Said, message_id: str) -> News:
        if not CHAT.fullmatch(said.sender):
            problem = '{"error": "from is the number of a chat"}'
            raise web.HTTPBadRequest(text=problem, content_type="application/json")
        what = _touch(said, message_id) if said.button else _writing(said, message_id, self.shelf.get(said.media))
        return News(said.account, orjson.dumps({"update_id": int(message_id), **what}))

    async def _send(self, request: web.Request, method: str) -> web.Response:
        has_file = request.content_type == FORM
        if has_file:
            self._tally.requests += 1
        body = b"" if has_file else await self.body_of(request)
        if body is None:
            return cut(request)
        try:
            bot = bot_of(request)
            given = await form_of(request) if has_file else await parameters_of(request, body)
            message = read_message(method, given)
        except Rejected as rejected:
            kind = Kind.INVALID_TOKEN if rejected.error is UNAUTHORIZED else "malformed"
            return await self.refuse(kind, rejected.error.answer())
        except ConnectionError:
            self._tally.refused["hung_up"] += 1
            return cut(request)
        if message.upload is not None:
            self._tally.keep(self.name, bot, message.to, message.upload)
        return await self.take(request, bot, message)

    async def _manage(self, request: web.Request, method: str) -> web.Response:
        """What sends nothing, and is not counted."""
        try:
            bot = bot_of(request)
            given = await parameters_of(request, await request.read())
            webhook = read_webhook(given) if method == "setWebhook" else Webhook()
            result = self._result(bot, method, given)
        except Rejected as rejected:
            await pause(self.delays.latency)
            return rejected.error.answer()
        answer = await self.show_facts(request, bot, {"ok": True, "result": result})
        if method in {"setWebhook", "deleteWebhook"} and answer.status == 200:
            self._webhooks[bot] = webhook
        return answer

    def _result(self, bot: str, method: str, given: Mapping[str, Any]) -> object:
        match method:
            case "getMe":
                return _bot(bot)
            case "setWebhook" | "deleteWebhook":
                return True
            case "getWebhookInfo":
                url = self._webhooks.get(bot, Webhook()).url
                return {"url": url, "has_custom_certificate": False, "pending_update_count": 0}
            case "answerCallbackQuery":
                if not text_at(given, "callback_query_id"):
                    raise bad("query is too old and response timeout expired or query ID is invalid")
                return True
            case "getFile":
                return self._file(text_at(given, "file_id"))
        raise Rejected(NOT_FOUND)

    def _file(self, file_id: str) -> dict[str, Any]:
        held = self.shelf.get(_address_in(file_id))
        if held is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        if len(held.content) > _LARGEST_FILE:
            raise bad("file is too big")
        return _described(file_id, held) | {"file_path": f"files/{held.id}"}


def _bot(account: str) -> dict[str, Any]:
    name = f"Simulated bot {account}"
    return {"id": int(account), "is_bot": True, "first_name": name, "username": f"simulated_{account}_bot"}


def _chat(number: str, name: str = "") -> dict[str, Any]:
    """A group, if its number is negative; else a person."""
    if number.startswith("-"):
        kind = "supergroup" if number.startswith("-100") else "group"
        return {"id": int(number), "type": kind, "title": f"Simulated group {number}"}
    return {"id": int(number), "type": "private", **_names(number, name)}


def _names(number: str, name: str) -> dict[str, str]:
    first, _space, last = (name or f"Person {number}").partition(" ")
    return {"first_name": first, "last_name": last} if last else {"first_name": first}


def _message(chat: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    return {"message_id": int(message_id), "chat": chat, "date": int(time.time())}


def _file(media: str, url: str, held: Held | None = None) -> dict[str, Any]:
    """Its id is its address, so that nobody has to remember it."""
    file_id = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    file = {"file_id": file_id, "file_unique_id": file_id[-16:], **_FACTS[media]}
    if held is not None:
        file |= _described(file_id, held)
    if held is not None and media != "photo":
        file |= {"file_name": held.name, "mime_type": held.media_type}
    return {media: [file] if media == "photo" else file}


def _described(file_id: str, held: Held) -> dict[str, Any]:
    return {"file_id": file_id, "file_unique_id": file_id[-16:], "file_size": len(held.content)}


def _address_in(file_id: str) -> str:
    try:
        return base64.urlsafe_b64decode(file_id + "=" * (-len(file_id) % 4)).decode()
    except ValueError:
        return ""


def _writing(said: Said, message_id: str, held: Held | None) -> dict[str, Any]:
    chat = _chat(said.sender, said.name)
    message = {"from": _person(said), **_message(chat, message_id)}
    if said.media_url:
        media = said.media_kind if said.media_kind in _FACTS else "photo"
        message |= _file(media, said.media_url, held) | ({"caption": said.text} if said.text else {})
    else:
        message["text"] = said.text
    if said.reply_to:
        message["reply_to_message"] = _message(chat, _number_of(said.reply_to))
    return {"message": message}


def _touch(said: Said, message_id: str) -> dict[str, Any]:
    """Of a button with these words on it, below the message that `reply_to` names."""
    button = {"text": said.text or said.button, "callback_data": said.button}
    touched = _message(_chat(said.sender, said.name), _number_of(said.reply_to or message_id))
    query = {
        "id": message_id,
        "from": _person(said),
        "message": {**touched, "text": "…", "reply_markup": {"inline_keyboard": [[button]]}},
        "chat_instance": said.sender,
        "data": said.button,
    }
    return {"callback_query": query}


def _person(said: Said) -> dict[str, Any]:
    number = said.sender.removeprefix("-")
    return {"id": int(number), "is_bot": False, **_names(number, said.name)}


def _number_of(message_id: str) -> str:
    """Whoever hears of several chats may put the chat's number before the message's."""
    number = message_id.rpartition(":")[2]
    return number if CHAT.fullmatch(number) else "0"
