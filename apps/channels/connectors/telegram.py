"""Telegram, by its Bot API. What it took is sent, and that is all that it ever says of a message."""

import hmac
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from urllib.parse import quote

import orjson
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.channels import addresses
from apps.channels.callback import (
    BadCallback,
    Callback,
    CallbackEvent,
    Inbound,
    Moved,
    is_storable_id,
    storable_text,
)
from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits, MediaRule
from apps.channels.connector import CalledAt, MediaSource, Outbound
from apps.channels.content import LONGEST_BUTTON_TITLE, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.http_connector import HttpConnector, Request, retry_after
from apps.channels.multipart import upload
from apps.core import clock
from apps.core.guarded_http import Answer, GuardedClient
from apps.core.limiter import Limit

_MEGABYTE = 1024 * 1024
_LONGEST_CAPTION = 1024
# By link it would fetch less, and of documents archives and PDFs only.
_PHOTO = MediaRule(10 * _MEGABYTE, _LONGEST_CAPTION, by="upload")
_FILE = MediaRule(50 * _MEGABYTE, _LONGEST_CAPTION, by="upload")
_METHODS = {
    MediaKind.IMAGE: ("sendPhoto", "photo"),
    MediaKind.AUDIO: ("sendAudio", "audio"),
    MediaKind.VIDEO: ("sendVideo", "video"),
    MediaKind.DOCUMENT: ("sendDocument", "document"),
}
# An animation is a document too, for programs that know no animations.
_MEDIA_OF = {
    "photo": MediaKind.IMAGE,
    "audio": MediaKind.AUDIO,
    "voice": MediaKind.AUDIO,
    "video": MediaKind.VIDEO,
    "video_note": MediaKind.VIDEO,
    "animation": MediaKind.VIDEO,
    "document": MediaKind.DOCUMENT,
}
# What people send besides, and nobody here can show: its name is.
_OTHER_KINDS = ("sticker", "poll", "dice", "game", "story", "checklist", "paid_media", "invoice", "giveaway")
# Of a refusal, nothing but its words says that it is about whom the message is for.
_ABOUT_THE_RECIPIENT = re.compile(
    r"chat not found|user not found|peer_id_invalid|group is deactivated|not enough rights|have no rights",
    re.IGNORECASE,
)
# Shorter ones would not be recognized in a log, where they are to be hidden.
_TOKEN = re.compile(r"[0-9]{1,19}:[A-Za-z0-9_-]{20,200}")
_SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - where it is
# Not what people change in messages that they wrote: it was taken in, and perhaps answered, as it was.
_WANTED_UPDATES = ["message", "callback_query"]
# Calls at once. Those of one chat come one after the other however many there are.
_CALLS_AT_ONCE = 40


class Telegram(HttpConnector):
    label = "Telegram"
    capabilities = Capabilities(
        address=AddressKind.TELEGRAM_CHAT,
        longest_text=4096,
        media={
            MediaKind.IMAGE: _PHOTO,
            **dict.fromkeys((MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.DOCUMENT), _FILE),
        },
        most_buttons=100,
        longest_button=LONGEST_BUTTON_TITLE,
        quotes=True,
        hears_replies=True,
    )
    # 30 a second in all, one a second for one chat. Of the 20 a minute for a group Telegram tells when it is time.
    limits = Limits(account=Limit(rate=30, burst=30), recipient=Limit(rate=1, burst=3))
    credentials = (
        CredentialField("bot_token", _("As BotFather gives it.")),
        CredentialField(
            "secret_token", _("Of your choice: letters, digits, _ and -. It comes with every callback.")
        ),
    )
    # The address that is called names the account.
    provider_account = ""
    called_at = CalledAt.ACCOUNT
    callback_hint = _("Nowhere by hand: Connect tells Telegram this address and the credential secret_token.")

    @classmethod
    def bad_credentials(cls, credentials: Mapping[str, str]) -> dict[str, str]:
        wrong = {}
        if not _TOKEN.fullmatch(credentials["bot_token"]):
            wrong["bot_token"] = gettext("This is no token of a bot: digits, a colon, some 35 letters and digits.")
        if not _SECRET_TOKEN.fullmatch(credentials["secret_token"]):
            wrong["secret_token"] = gettext("At most 256 letters, digits, underscores and dashes.")
        return wrong

    def build_request(self, outbound: Outbound) -> Request:
        content = outbound.content
        message: dict[str, Any] = {"chat_id": outbound.to}
        method, name = ("sendMessage", "text") if content.media is None else _METHODS[content.media.kind]
        if content.media is None:
            message["text"] = content.text
        else:
            message[name] = content.media.url
            if content.text:
                message["caption"] = content.text
        if content.buttons:
            rows = [[{"text": button.title, "callback_data": button.id}] for button in content.buttons]
            message["reply_markup"] = {"inline_keyboard": rows}
        if answered := _number_in(outbound.to, outbound.answers):
            # The person may have deleted it in the meantime.
            message["reply_parameters"] = {"message_id": answered, "allow_sending_without_reply": True}
        if outbound.file is not None:
            del message[name]
            return upload(self._url(outbound.credentials, method), message, name, outbound.file)
        return self._request(outbound.credentials, method, message)

    def build_check(self, credentials: Mapping[str, str]) -> Request:
        return Request(method="GET", url=self._url(credentials, "getMe"), headers={}, body=b"")

    async def send(self, client: GuardedClient, outbound: Outbound) -> str:
        try:
            return await super().send(client, outbound)
        except RateLimited as limited:
            if not outbound.to.startswith("-"):
                raise
            # A group has a limit of its own, of a minute: nobody else shall wait for it.
            code, detail, seconds = limited.code, limited.detail, limited.retry_after
            raise RateLimited(code, detail, scope="recipient", retry_after=seconds) from limited

    def read_answer(self, answer: Answer) -> str:
        match orjson.loads(answer.body):
            case {"ok": True, "result": {"message_id": int(number), "chat": {"id": int(chat)}}}:
                return _id_of(chat, number)
        raise ValueError("no message id")

    def classify(self, answer: Answer) -> SendFailed:
        code, detail, parameters = _refusal(answer)
        name = str(code)
        wait = parameters.get("retry_after")
        seconds = float(wait) if isinstance(wait, int) and 0 <= wait < 10**6 else retry_after(answer)
        if code == 429:
            return RateLimited(name, detail or "Too many requests.", retry_after=seconds)
        # A token that is none is answered with 404, as if there were no such method.
        if code == 401 or (code == 404 and detail):
            return AccountRejected(name, detail or "The credentials were refused.")
        # A group that became larger has another number.
        moved_to = parameters.get("migrate_to_chat_id")
        if code >= 500 or moved_to is not None:
            to = str(moved_to) if isinstance(moved_to, int) else ""
            return Transient(
                name,
                detail or "The provider failed.",
                retry_after=seconds,
                moved_to=to,
                blames_provider=not to,
            )
        if (code == 403 and detail) or (code == 400 and _ABOUT_THE_RECIPIENT.search(detail)):
            return RecipientRejected(name, detail)
        return MessageRejected(name, detail or "The provider refused, without saying why.")

    async def call_back_at(self, client: GuardedClient, credentials: Mapping[str, str], url: str) -> bool:
        webhook = {
            "url": url,
            "secret_token": credentials["secret_token"],
            "allowed_updates": _WANTED_UPDATES,
            "max_connections": _CALLS_AT_ONCE,
        }
        try:
            await self.ask(client, self._request(credentials, "setWebhook", webhook), credentials)
        except OutcomeUnknown as unknown:  # said twice, it is the same
            raise Transient(unknown.code, unknown.detail) from unknown
        return True

    def verify_callback(self, callback: Callback, credentials: Mapping[str, str]) -> bool:
        secret, shown = credentials["secret_token"], callback.headers.get(_SECRET_HEADER, "")
        is_same = hmac.compare_digest(secret.encode(), shown.encode(errors="replace"))
        return is_same and secret != ""

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        match _update(callback.body):
            case {"message": {"chat": {"id": int(old)}, "migrate_to_chat_id": int(new)}}:
                if _is_chat(old) and _is_chat(new):
                    yield Moved("", str(old), str(new))
            case {"message": {"is_automatic_forward": True}}:
                pass  # a post of the channel to which the group belongs
            case {
                "message": {"chat": {"id": int(chat)}, "message_id": int(), "from": {"is_bot": False}} as message
            } if _is_chat(chat):
                media = _media_of(message)
                text = _text_of(message) or ("" if media else _kind_of(message))
                if text or media:
                    yield _written(message, text, media)
            case {
                "callback_query": {
                    "id": str(query_id),
                    "from": {"is_bot": False} as person,
                    "message": {"chat": {"id": int(chat)}, "message_id": int()} as message,
                    "data": str(button),
                }
            } if _is_chat(chat) and is_storable_id(query_id) and is_storable_id(button):
                yield _touched(message, person, query_id, button)

    async def locate_media(
        self, client: GuardedClient, credentials: Mapping[str, str], media: Media, provider_id: str
    ) -> MediaSource:
        """For an hour. Of what is larger than 20 MB Telegram says that it is."""
        answer = await self.ask(client, self._request(credentials, "getFile", {"file_id": media.url}), credentials)
        with suppress(orjson.JSONDecodeError):
            match orjson.loads(answer.body):
                case {"result": {"file_path": str(path)} as file}:
                    size = file.get("file_size")
                    url = f"{self.base_url}/file/bot{credentials['bot_token']}/{quote(path)}"
                    return MediaSource(url, size=size if isinstance(size, int) and size >= 0 else None)
        raise Transient("unreadable", "The provider agreed in words that cannot be read.")

    def answer_to(self, callback: Callback) -> bytes:
        """A touched button turns until the bot has said that it knows, for which it may use its answer."""
        match _update(callback.body):
            case {"callback_query": {"id": str(query_id)}}:
                return orjson.dumps({"method": "answerCallbackQuery", "callback_query_id": query_id})
        return b""

    def _url(self, credentials: Mapping[str, str], method: str) -> str:
        return f"{self.base_url}/bot{credentials['bot_token']}/{method}"

    def _request(self, credentials: Mapping[str, str], method: str, parameters: Mapping[str, Any]) -> Request:
        headers = {"Content-Type": "application/json"}
        return Request(self._url(credentials, method), headers, orjson.dumps(parameters))


CONNECTOR = Telegram


def _refusal(answer: Answer) -> tuple[int, str, Mapping[str, Any]]:
    """Code, words and parameters; the HTTP status alone where it was not Telegram's program that answered."""
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        document = None
    match document:
        case {"ok": False, "error_code": int(code), "description": str(description)}:
            parameters = document.get("parameters")
            return code, description, parameters if isinstance(parameters, dict) else {}
    return answer.status, "", {}


def _update(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadCallback("not JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("update_id"), int):
        raise BadCallback("no update of a bot")
    return document


def _id_of(chat: int, number: int) -> str:
    """A message has a number, which only its chat makes unique."""
    return f"{chat}:{number}"


def _number_in(chat: str, provider_id: str) -> int:
    """The number of that message; 0 where it is none, or of another chat."""
    where, _colon, rest = provider_id.partition(":")
    number = rest.partition(":")[0]
    return int(number) if where == chat and number.isascii() and number.isdigit() else 0


def _is_chat(number: int) -> bool:
    return addresses.is_possible(AddressKind.TELEGRAM_CHAT, str(number))


def _written(message: Mapping[str, Any], text: str, media: Media | None) -> Inbound:
    chat, person = message["chat"], message["from"]
    match message.get("reply_to_message"):
        case {"message_id": int(number)}:
            answers = _id_of(chat["id"], number)
        case _:
            answers = ""
    provider_id, at = _id_of(chat["id"], message["message_id"]), _moment(message.get("date"))
    return Inbound("", provider_id, str(chat["id"]), at, text, media, _name_of(chat, person), answers)


def _touched(message: Mapping[str, Any], person: Mapping[str, Any], query_id: str, button: str) -> Inbound:
    """Nothing tells when it was, and an answer to it answers the message that the button is on."""
    chat = message["chat"]
    on = _id_of(chat["id"], message["message_id"])
    title, name = _title_of(message, button), _name_of(chat, person)
    return Inbound("", f"{on}:{query_id}", str(chat["id"]), clock.now(), title, None, name, on, button)


def _title_of(message: Mapping[str, Any], button: str) -> str:
    """What the person saw on it."""
    match message.get("reply_markup"):
        case {"inline_keyboard": [*rows]}:
            for each in chain.from_iterable(row for row in rows if isinstance(row, list)):
                if isinstance(each, dict) and each.get("callback_data") == button:
                    return _words(each.get("text"))
    return ""


def _name_of(chat: Mapping[str, Any], person: Mapping[str, Any]) -> str:
    """Of whom an answer reaches: a group, or the person."""
    names = [chat.get("title")] if "title" in chat else [person.get("first_name"), person.get("last_name")]
    return " ".join(filter(None, map(_words, names)))


def _text_of(message: Mapping[str, Any]) -> str:
    match message:
        case {"text": str(text)} | {"caption": str(text)}:
            return storable_text(text)
        case {"venue": {"title": str(title), "address": str(address)}}:
            return storable_text(f"{title}, {address}")
        case {"location": {"latitude": int() | float() as latitude, "longitude": int() | float() as longitude}}:
            return f"{latitude}, {longitude}"
        case {"contact": {"phone_number": str(phone)} as contact}:
            return ", ".join(filter(None, (_name_of({}, contact), _words(phone))))
        case {"sticker": {"emoji": str(emoji)}}:
            return storable_text(emoji)
    return ""


def _kind_of(message: Mapping[str, Any]) -> str:
    """Groups tell of themselves as if somebody wrote it: who came, who left."""
    known = next((name for name in _OTHER_KINDS if name in message), "")
    return f"[{known or 'message'}]" if known or message["chat"].get("type") == "private" else ""


def _media_of(message: Mapping[str, Any]) -> Media | None:
    for name, kind in _MEDIA_OF.items():
        match message.get(name):
            # A photo is there in all its sizes, of which the last is the largest.
            case {"file_id": str(file_id), **told} | [*_, {"file_id": str(file_id), **told}]:
                if is_storable_id(file_id):
                    return Media(kind, file_id, _words(told.get("file_name")), _words(told.get("mime_type")))
    return None


def _words(value: object) -> str:
    return storable_text(value) if isinstance(value, str) else ""


def _moment(seconds: object) -> datetime:
    """Since 1970; now, where Telegram does not say."""
    if not isinstance(seconds, int) or not 0 <= seconds < 10**11:
        return clock.now()
    return datetime.fromtimestamp(seconds, UTC)
