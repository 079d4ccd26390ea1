"""What programs ask of Telegram's Bot API, read and refused as it does."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from apps.channels.simulators.provider import Message, json_answer, read_json_object
from apps.channels.simulators.tally import Upload

FORM = "multipart/form-data"
MEDIA = {"sendPhoto": "photo", "sendAudio": "audio", "sendVideo": "video", "sendDocument": "document"}
CHAT = re.compile(r"-?[1-9][0-9]{0,17}")
_LONGEST_TEXT = 4096
_LONGEST_CAPTION = 1024
_LONGEST_BUTTON_BYTES = 64
_MOST_PHOTO_BYTES = 10 * 1024 * 1024
_MOST_FILE_BYTES = 50 * 1024 * 1024
_MOST_FIELD_BYTES = 64 * 1024
_MOST_FIELDS = 100
_TOKEN = re.compile(r"([0-9]{1,19}):[A-Za-z0-9_-]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")
_LINK = re.compile(r"https?://.+")


class Rejected(Exception):
    """The request is none that its method takes."""

    def __init__(self, error: "BotError") -> None:
        self.error = error


@dataclass(frozen=True, slots=True)
class BotError:
    code: int
    description: str

    def answer(self, retry_after: int | None = None) -> web.Response:
        refusal: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if retry_after is not None:
            refusal["description"] += f": retry after {retry_after}"
            refusal["parameters"] = {"retry_after": retry_after}
        return json_answer(refusal, self.code)


UNAUTHORIZED = BotError(401, "Unauthorized")
NOT_FOUND = BotError(404, "Not Found")
TOO_LARGE = BotError(413, "Request Entity Too Large")


@dataclass(frozen=True, slots=True)
class TelegramMessage(Message):
    media: str = ""
    """What kind, as Telegram calls it; empty if it is a text."""

    url: str = ""
    upload: Upload | None = None
    """Instead of a URL."""

    caption: str = ""
    keyboard: list[list[dict[str, str]]] = field(default_factory=list)
    answers: str = ""
    """The number of the message that it answers."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a bot wants to be called."""

    url: str = ""
    secret: str = field(default="", repr=False)


def bot_of(request: web.Request) -> str:
    """By its token. One that is none names no bot, and so no address; a wrong one is nobody's."""
    token = request.match_info["token"]
    if token.startswith("invalid") or token.endswith("invalid"):
        raise Rejected(UNAUTHORIZED)
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Rejected(NOT_FOUND)
    return found[1]


async def parameters_of(request: web.Request, body: bytes) -> Mapping[str, Any]:
    """From wherever they may be: the address, JSON, or a form."""
    if request.content_type == "application/json" and body:
        document = read_json_object(body)
        if document is None:
            raise bad("can't parse JSON object")
        return {**request.query, **document}
    try:
        form = await request.post()
    except ValueError:
        raise bad("can't parse the form") from None
    return {**request.query, **form}


async def form_of(request: web.Request) -> Mapping[str, Any]:
    """Fields, and of files what is remembered of them: nothing large is ever held in memory."""
    form: dict[str, Any] = dict(request.query)
    try:
        parts = await request.multipart()
        while (part := await parts.next()) is not None:
            if not isinstance(part, BodyPartReader) or not part.name or len(form) >= _MOST_FIELDS:
                raise bad("can't parse the form")
            form[part.name] = await (_field(part) if part.filename is None else _upload(part))
    except ValueError:
        raise bad("can't parse the form") from None
    return form


async def _field(part: BodyPartReader) -> str:
    value = b""
    while chunk := await part.read_chunk():
        value += chunk
        if len(value) > _MOST_FIELD_BYTES:
            raise bad("can't parse the form")
    return value.decode()


async def _upload(part: BodyPartReader) -> Upload:
    size, digest = 0, hashlib.sha256()
    while chunk := await part.read_chunk(_MOST_FIELD_BYTES):
        size += len(chunk)
        if size > _MOST_FILE_BYTES:
            raise Rejected(TOO_LARGE)
        digest.update(chunk)
    return Upload(part.filename or "", part.headers.get("Content-Type", ""), size, digest.hexdigest())


def read_message(method: str, given: Mapping[str, Any]) -> TelegramMessage:
    to = text_at(given, "chat_id")
    if not to:
        raise bad("chat_id is empty")
    if not CHAT.fullmatch(to):
        raise bad("chat not found")
    keyboard, answers = _read_keyboard(given), _read_reply(given)
    if method not in MEDIA:
        return TelegramMessage(to, "", _read_text(given), keyboard=keyboard, answers=answers)
    media = MEDIA[method]
    upload = given.get(media)
    url = _place_of(upload, media) if isinstance(upload, Upload) else _link(given, media)
    caption = text_at(given, "caption")
    if len(caption) > _LONGEST_CAPTION:
        raise bad("message caption is too long")
    text = f"{url}\n{caption}".rstrip()
    came = upload if isinstance(upload, Upload) else None
    return TelegramMessage(to, "", text, media, url, came, caption, keyboard, answers)


def _link(given: Mapping[str, Any], media: str) -> str:
    url = text_at(given, media)
    if not url:
        raise bad(f"there is no {media} in the request")
    if not _LINK.fullmatch(url):
        raise bad("wrong file identifier/HTTP URL specified")
    return url


def _place_of(upload: Upload, media: str) -> str:
    """Nowhere: it is named after what is in it."""
    if not upload.size:
        raise bad("file must be non-empty")
    if media == "photo" and upload.size > _MOST_PHOTO_BYTES:
        most = f"the maximum size is {_MOST_PHOTO_BYTES} bytes"
        raise bad(f"file of size {upload.size} bytes is too big for a photo; {most}")
    return f"upload:{upload.sha256}"


def read_webhook(given: Mapping[str, Any]) -> Webhook:
    """Over plain HTTP too, which Telegram refuses: here, whoever is called is on this machine."""
    url, secret = text_at(given, "url"), text_at(given, "secret_token")
    if url and not _LINK.fullmatch(url):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if not _SECRET.fullmatch(secret):
        raise bad("secret token contains unallowed characters")
    return Webhook(url, secret)


def text_at(given: Mapping[str, Any], name: str) -> str:
    """Numbers may be written as such."""
    value = given.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def bad(words: str) -> Rejected:
    return Rejected(BotError(400, f"Bad Request: {words}"))


def _read_text(given: Mapping[str, Any]) -> str:
    text = text_at(given, "text")
    if not text:
        raise bad("message text is empty")
    if len(text) > _LONGEST_TEXT:
        raise bad("message is too long")
    return text


def _read_keyboard(given: Mapping[str, Any]) -> list[list[dict[str, str]]]:
    match _object_at(given, "reply_markup"):
        case None:
            return []
        case {"inline_keyboard": [*rows]} if all(isinstance(row, list) for row in rows):
            return [[_read_button(button) for button in row] for row in rows]
    raise bad("object expected as reply markup")


def _read_button(button: object) -> dict[str, str]:
    match button:
        case {"text": str(text), "callback_data": str(data)} if text:
            if not 0 < len(data.encode()) <= _LONGEST_BUTTON_BYTES:
                raise bad("BUTTON_DATA_INVALID")
            return {"text": text, "callback_data": data}
    raise bad("can't parse inline keyboard button")


def _read_reply(given: Mapping[str, Any]) -> str:
    reply = _object_at(given, "reply_parameters")
    if reply is None:
        return ""
    number = text_at(reply, "message_id")
    if not CHAT.fullmatch(number):
        raise bad("message to be replied not found")
    return number


def _object_at(given: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """In a form it is written as JSON."""
    value = given.get(name)
    if value is None:
        return None
    found = read_json_object(value.encode()) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise bad(f"can't parse {name}")
    return found
