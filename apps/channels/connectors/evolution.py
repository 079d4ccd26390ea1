"""WhatsApp by an Evolution API of one's own, version 2: a number that is connected like a phone's browser."""

import hmac
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import jwt
import orjson
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.channels.baileys import written
from apps.channels.callback import (
    BadCallback,
    Callback,
    CallbackEvent,
    Receipt,
    ReceiptStatus,
    is_storable_id,
)
from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits, MediaRule
from apps.channels.connector import MOST_WHOLE_BYTES, CalledAt, MediaSource, Outbound
from apps.channels.content import Media, MediaKind
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
from apps.core import clock
from apps.core.guarded_http import Answer, GuardedClient
from apps.core.limiter import Limit

_MEGABYTE = 1024 * 1024
_LONGEST_CAPTION = 1024
_SHORTEST_SECRET = 32
_SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105 - where it is
_CLOCKS_DIFFER_BY_SECONDS = 60
_WANTED_EVENTS = ["MESSAGES_UPSERT", "MESSAGES_UPDATE", "CONNECTION_UPDATE"]
# A folder is allowed, for those behind a proxy; nothing in it that would lead elsewhere.
_SERVER_URL = re.compile(r"https?://[^\s/?#@\\]+(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?")
# Its connection to WhatsApp is away for the moment; nothing was sent.
_DISCONNECTED = re.compile(r"connection closed|timed out", re.IGNORECASE)

_STATUSES = {
    "SERVER_ACK": ReceiptStatus.SENT,
    "DELIVERY_ACK": ReceiptStatus.DELIVERED,
    "READ": ReceiptStatus.READ,
    "PLAYED": ReceiptStatus.READ,
    "ERROR": ReceiptStatus.FAILED,
    # As Meta says it, of a number that Evolution reaches by Meta's Cloud API.
    "SENT": ReceiptStatus.SENT,
    "DELIVERED": ReceiptStatus.DELIVERED,
    "FAILED": ReceiptStatus.FAILED,
}


class Evolution(HttpConnector):
    label = "WhatsApp (Evolution)"
    capabilities = Capabilities(
        address=AddressKind.PHONE,
        longest_text=4096,
        media={
            MediaKind.IMAGE: MediaRule(5 * _MEGABYTE, _LONGEST_CAPTION),
            MediaKind.AUDIO: MediaRule(16 * _MEGABYTE),
            MediaKind.VIDEO: MediaRule(16 * _MEGABYTE, _LONGEST_CAPTION),
            MediaKind.DOCUMENT: MediaRule(100 * _MEGABYTE, _LONGEST_CAPTION),
        },
        quotes=True,
        hears_replies=True,
        reports_delivered=True,
        reports_read=True,
    )
    # Nobody documents a limit, and WhatsApp bans numbers that write like no person does. Whoever knows theirs to
    # bear more raises it.
    limits = Limits(account=Limit(rate=1, burst=10), recipient=Limit(rate=1 / 6, burst=5))
    credentials = (
        CredentialField(
            "server_url", _("Where your Evolution API is, such as https://evolution.example."), is_secret=False
        ),
        CredentialField("instance", _("The instance's name."), is_secret=False),
        CredentialField("api_key", _("The instance's key, or the server's.")),
        CredentialField(
            "webhook_secret", _("Of your choice, 32 characters at least; it comes with every callback.")
        ),
        CredentialField(
            "jwt_key",
            _("Of your choice, 32 characters at least. With it, callbacks may be signed instead."),
            is_required=False,
        ),
    )
    # The address that is called names the account.
    provider_account = ""
    called_at = CalledAt.ACCOUNT
    callback_hint = _(
        "Nowhere by hand: Connect tells your Evolution API this address and the credential webhook_secret, for "
        "this instance."
    )

    @classmethod
    def bad_credentials(cls, credentials: Mapping[str, str]) -> dict[str, str]:
        wrong = {}
        if not _SERVER_URL.fullmatch(credentials["server_url"]):
            wrong["server_url"] = gettext("This is no address of a server, such as https://evolution.example.")
        if not credentials["instance"].strip("."):
            wrong["instance"] = gettext("This is no name of an instance.")
        for name in ("webhook_secret", "jwt_key"):
            if 0 < len(credentials[name]) < _SHORTEST_SECRET:
                wrong[name] = gettext("At least %(least)d characters.") % {"least": _SHORTEST_SECRET}
        return wrong

    def build_request(self, outbound: Outbound) -> Request:
        content, media = outbound.content, outbound.content.media
        message: dict[str, Any] = {"number": outbound.to.removeprefix("+")}
        if media is None:
            method = "sendText"
            message["text"] = content.text
        elif media.kind is MediaKind.AUDIO:
            # Plays on every phone: it is turned into what WhatsApp itself records.
            method = "sendWhatsAppAudio"
            message["audio"] = media.url
        else:
            method = "sendMedia"
            named = {"caption": content.text, "fileName": media.file_name, "mimetype": media.media_type}
            message |= {"mediatype": media.kind, "media": media.url}
            message |= {name: value for name, value in named.items() if value}
        if outbound.answers:
            message["quoted"] = {"key": {"id": outbound.answers}}
        return _request(outbound.credentials, f"message/{method}", message)

    def build_check(self, credentials: Mapping[str, str]) -> Request:
        url, headers = _url(credentials, "instance/connectionState"), {"apikey": credentials["api_key"]}
        return Request(method="GET", url=url, headers=headers, body=b"")

    async def check(self, client: GuardedClient, credentials: Mapping[str, str]) -> None:
        answer = await self._ask_harmlessly(client, self.build_check(credentials), credentials)
        match _object(answer.body):
            case {"instance": {"state": "open"}}:
                return
            case {"instance": {}}:
                raise AccountRejected("not_connected", "The instance is not connected to WhatsApp.")
        raise Transient("unreadable", "The provider agreed in words that cannot be read.")

    def read_answer(self, answer: Answer) -> str:
        match orjson.loads(answer.body):
            case {"key": {"id": str(provider_id)}}:
                return provider_id
        raise ValueError("no message id")

    def classify(self, answer: Answer) -> SendFailed:
        name, wait = str(answer.status), retry_after(answer)
        told = _told(answer.body)
        detail = "; ".join(each for each in told if isinstance(each, str))
        if answer.status == 429:
            return RateLimited(name, detail or "Too many requests.", retry_after=wait)
        if answer.status in {401, 403, 404}:
            return AccountRejected(name, detail or "The key, the instance or the address was refused.")
        if answer.status >= 500:
            return Transient(name, detail or "The provider failed.", retry_after=wait)
        if any(isinstance(each, dict) and each.get("exists") is False for each in told):
            return RecipientRejected("not_on_whatsapp", "Nobody has WhatsApp at this number.")
        if _DISCONNECTED.search(detail):
            return Transient(name, detail, retry_after=wait)
        return MessageRejected(name, detail or "The provider refused, without saying why.")

    async def call_back_at(self, client: GuardedClient, credentials: Mapping[str, str], url: str) -> bool:
        headers = {_SECRET_HEADER: credentials["webhook_secret"]}
        if credentials.get("jwt_key"):
            headers["jwt_key"] = credentials["jwt_key"]
        webhook = {"enabled": True, "url": url, "headers": headers, "byEvents": False, "base64": False,
                   "events": _WANTED_EVENTS}  # fmt: skip
        request = _request(credentials, "webhook/set", {"webhook": webhook})
        await self._ask_harmlessly(client, request, credentials)
        return True

    def verify_callback(self, callback: Callback, credentials: Mapping[str, str]) -> bool:
        secret, shown = credentials["webhook_secret"], callback.headers.get(_SECRET_HEADER, "")
        if secret and hmac.compare_digest(secret.encode(), shown.encode(errors="replace")):
            return True
        jwt_key = credentials.get("jwt_key", "")
        return jwt_key != "" and _is_token_under(jwt_key, callback.headers.get("Authorization", ""))

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        document = _event(callback)
        data = document.get("data")
        for each in data if isinstance(data, list) else [data]:
            match document["event"], each:
                case "messages.update", {"keyId": str(provider_id), "status": str(word)} if (
                    is_storable_id(provider_id) and word in _STATUSES
                ):
                    status = _STATUSES[word]
                    failed = status is ReceiptStatus.FAILED
                    error = MessageRejected(word, "The provider gave no reason.") if failed else None
                    yield Receipt("", provider_id, status, clock.now(), error=error)
                case "messages.upsert", dict() if message := written(each):
                    yield message

    async def locate_media(
        self, client: GuardedClient, credentials: Mapping[str, str], media: Media, provider_id: str
    ) -> MediaSource:
        """Where Evolution keeps files, at a link. Else it fetches the file from WhatsApp and answers with it."""
        if media.url.startswith(("https://", "http://")):
            return MediaSource(media.url)
        request = _request(credentials, "chat/getBase64FromMediaMessage", {"message": {"key": {"id": media.url}}})
        answer = await self._ask_harmlessly(client, request, credentials)
        document = _object(answer.body)
        text, told = document.get("base64"), document.get("mimetype")
        if not isinstance(text, str) and not answer.truncated:
            raise Transient("unreadable", "The provider agreed in words that cannot be read.")
        try:
            content = b64decode(text or "", validate=True)
        except ValueError as error:
            raise MessageRejected("unreadable", "The provider's file cannot be read.") from error
        if answer.truncated or len(content) > MOST_WHOLE_BYTES:
            raise MessageRejected(
                "too_large", "Larger files are handed out only where Evolution keeps them itself."
            )
        return MediaSource(content=content, media_type=told if isinstance(told, str) else "")

    def storable(self, callback: Callback) -> bytes:
        document = _event(callback)
        # Evolution tells everybody whom it calls.
        document.pop("apikey", None)
        try:
            return orjson.dumps(document)
        except orjson.JSONEncodeError as error:  # it reads more levels than it writes
            raise BadCallback("nested too deeply") from error

    async def _ask_harmlessly(
        self, client: GuardedClient, request: Request, credentials: Mapping[str, str]
    ) -> Answer:
        """What can be asked twice: when no answer comes, it simply did not answer."""
        try:
            return await self.ask(client, request, credentials)
        except OutcomeUnknown as unknown:
            raise Transient(unknown.code, unknown.detail) from unknown


CONNECTOR = Evolution


def _request(credentials: Mapping[str, str], path: str, body: Mapping[str, Any]) -> Request:
    headers = {"apikey": credentials["api_key"], "Content-Type": "application/json"}
    return Request(_url(credentials, path), headers, orjson.dumps(body))


def _url(credentials: Mapping[str, str], path: str) -> str:
    return f"{credentials['server_url'].rstrip('/')}/{path}/{quote(credentials['instance'], safe='')}"


def _object(body: bytes) -> dict[str, Any]:
    """Empty where it is none."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _told(body: bytes) -> list[Any]:
    """What a refusal says: a text, or texts and objects in a list, or in lists."""
    match _object(body):
        case {"response": {"message": [*messages]}}:
            return [each for message in messages for each in (message if isinstance(message, list) else [message])]
        case {"response": {"message": message}}:
            return [message]
    return []


def _is_token_under(key: str, authorization: str) -> bool:
    """Whether it is a token that somebody who has the key issued, and that is still good."""
    scheme, _space, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        jwt.decode(
            token, key, algorithms=["HS256"], leeway=_CLOCKS_DIFFER_BY_SECONDS, options={"require": ["exp"]}
        )
    except (jwt.InvalidTokenError, UnicodeError):
        return False
    return True


def _event(callback: Callback) -> dict[str, Any]:
    """Raises BadCallback."""
    document = _object(callback.body)
    if not isinstance(document.get("event"), str):
        raise BadCallback("no event of an instance")
    return document
