"""WhatsApp, by Meta's Cloud API."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _

from apps.channels.callback import (
    Callback,
    CallbackEvent,
    Inbound,
    Moved,
    Receipt,
    ReceiptStatus,
    is_storable_id,
)
from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits, MediaRule
from apps.channels.connector import MediaSource, Outbound
from apps.channels.content import Content, Media, MediaKind, ProviderTemplate
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.http_connector import Request
from apps.channels.meta import OF_THE_APP, MetaConnector, field_at, id_at, items, link_at, text_at
from apps.core import clock
from apps.core.guarded_http import Answer, GuardedClient
from apps.core.limiter import Limit

_DAY = 24 * 3600.0
# Also: 131053, it could not fetch the media, and 131057, the account is being maintained.
_TRANSIENT = frozenset({1, 2, 131000, 131016, 131053, 131057})
_ACCOUNT_LIMIT = frozenset({4, 80007, 130429})
_RECIPIENT_LIMIT = 131056
_HOLD_A_DAY = 131049
# Also: 3 and 131005 want a permission, 33 and 133010 miss the number itself, 131037 its name's approval and
# 131045 its registration.
_ACCOUNT_REJECTED = frozenset(
    {0, 3, 10, 33, 190, 368, 131005, 131031, 131037, 131042, 131045, 131048, 133010, *range(200, 300)}
)
_OPTED_OUT = 131050
# Also: 131021 is the sender, 131030 is none of those whom an account on trial may write to, and 130497 is in a
# country that this account may not write to.
_RECIPIENT_REJECTED = frozenset({130497, 131021, 131026, 131030, _OPTED_OUT})
# Of 100, "invalid parameter": the object in the address, which is the number, does not exist for this token.
_NO_SUCH_NUMBER = 33

_MEGABYTE = 1024**2
_LONGEST_CAPTION = 1024
_STATUSES = {
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "played": ReceiptStatus.READ,
    "failed": ReceiptStatus.FAILED,
}
# A phone number; and another one, of everybody, by which those are known who hide their number.
_USER_IDS = ("wa_id", "user_id")
_MEDIA_KINDS = {kind.value: kind for kind in MediaKind} | {"sticker": MediaKind.IMAGE}


class WhatsappCloud(MetaConnector):
    label = "WhatsApp"
    capabilities = Capabilities(
        address=AddressKind.PHONE,
        longest_text=4096,
        longest_text_with_buttons=1024,
        media={
            MediaKind.IMAGE: MediaRule(5 * _MEGABYTE, _LONGEST_CAPTION),
            MediaKind.AUDIO: MediaRule(16 * _MEGABYTE),
            MediaKind.VIDEO: MediaRule(16 * _MEGABYTE, _LONGEST_CAPTION),
            MediaKind.DOCUMENT: MediaRule(100 * _MEGABYTE, _LONGEST_CAPTION),
        },
        most_buttons=3,
        longest_button=20,
        quotes=True,
        has_templates=True,
        reply_window=timedelta(hours=24),
        hears_replies=True,
        echoes_our_id=True,
        reports_delivered=True,
        reports_read=True,
    )
    # 80 a second for a number; about one in six seconds for one recipient, of which 45 may come at once.
    limits = Limits(account=Limit(rate=80, burst=80), recipient=Limit(rate=1 / 6, burst=45))
    credentials = (
        CredentialField("phone_number_id", _("The number's id, not the number itself."), is_secret=False),
        CredentialField("access_token", _("A system user's permanent token.")),
        *OF_THE_APP,
    )
    provider_account = "phone_number_id"
    callback_object = "whatsapp_business_account"
    callback_hint = _(
        "In the Meta app, WhatsApp → Configuration → Webhook: this as Callback URL, and as Verify token the "
        "credential verify_token. It is secret, so it is not shown here: enter a new one below if nobody knows "
        "it. Then subscribe to the field messages."
    )

    def build_body(self, outbound: Outbound) -> Mapping[str, Any]:
        kind, said = _said(outbound.content)
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": outbound.to.removeprefix("+"),
            "type": kind,
            kind: said,
            "biz_opaque_callback_data": str(outbound.message_id),
        }
        return body | {"context": {"message_id": outbound.answers}} if outbound.answers else body

    def read_answer(self, answer: Answer) -> str:
        match orjson.loads(answer.body):
            case {"messages": [{"id": str(provider_id)}, *_]}:
                return provider_id
        raise ValueError("no message id")

    def failure(self, error: Mapping[str, Any], status: int, wait: float | None = None) -> SendFailed:
        code = error["code"]
        told = text_at(error, "error_data", "details")
        name, detail = str(code), told or text_at(error, "message") or text_at(error, "title")
        if code in _ACCOUNT_LIMIT or code == _RECIPIENT_LIMIT:
            scope: Literal["account", "recipient"] = "recipient" if code == _RECIPIENT_LIMIT else "account"
            return RateLimited(name, detail, scope=scope, retry_after=wait)
        if code == _HOLD_A_DAY:
            return RateLimited(name, detail, scope="recipient", retry_after=_DAY)
        if code in _ACCOUNT_REJECTED or (code == 100 and error.get("error_subcode") == _NO_SUCH_NUMBER):
            return AccountRejected(name, detail)
        if code in _RECIPIENT_REJECTED:
            return RecipientRejected(name, detail, opted_out=code == _OPTED_OUT)
        if code in _TRANSIENT or status >= 500:
            return Transient(name, detail, retry_after=wait)
        return MessageRejected(name, detail)

    def accounts_of(self, callback: Callback) -> frozenset[str]:
        return frozenset(account for account, _value in self._values(callback))

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        for account, value in self._values(callback):
            for status in items(value.get("statuses")):
                if receipt := self._receipt(account, status):
                    yield receipt
            names = _names(value.get("contacts"))
            for message in items(value.get("messages")):
                if written := _written(account, message, names):
                    yield written

    async def locate_media(
        self, client: GuardedClient, credentials: Mapping[str, str], media: Media, provider_id: str
    ) -> MediaSource:
        """Its link lasts five minutes, and wants the token wherever it leads: Meta says where that is."""
        headers = {"Authorization": f"Bearer {credentials['access_token']}"}
        request = Request(f"{self.base_url}/{quote(media.url, safe='')}", headers, b"", method="GET")
        try:
            answer = await self.ask(client, request, credentials)
            told = orjson.loads(answer.body)
        except AccountRejected as rejected:
            if rejected.code == "100":  # here, the object in the address is the file
                raise MessageRejected("gone", rejected.detail) from rejected
            raise
        except orjson.JSONDecodeError as error:
            raise Transient("unreadable", "The provider agreed in words that cannot be read.") from error
        match told:
            case {"url": str(url), "file_size": int(size)} if size >= 0:
                return MediaSource(url, headers, size, field_at(told, "mime_type"))
            case {"url": str(url)}:
                return MediaSource(url, headers, None, field_at(told, "mime_type"))
        raise MessageRejected("gone", "The provider has no such file.")

    def _values(self, callback: Callback) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The id of the phone number, and what the callback says about it."""
        for entry in self.entries_of(callback):
            for change in items(entry.get("changes")):
                match change:
                    case {"value": {"metadata": {"phone_number_id": str(account)}} as value}:
                        if is_storable_id(account):
                            yield account, value

    def _receipt(self, account: str, status: object) -> Receipt | None:
        provider_id, word = id_at(status, "id"), _STATUSES.get(text_at(status, "status"))
        if not isinstance(status, dict) or not provider_id or word is None:
            return None
        error = self._receipt_error(status) if word is ReceiptStatus.FAILED else None
        our_id = _our_id(text_at(status, "biz_opaque_callback_data"))
        return Receipt(account, provider_id, word, _moment(status), our_id, error)

    def _receipt_error(self, status: Mapping[str, Any]) -> SendFailed:
        match status.get("errors"):
            case [{"code": int()} as error, *_]:
                return self.failure(error, 400)
        return MessageRejected("", "The provider gave no reason.")


CONNECTOR = WhatsappCloud


def _said(content: Content) -> tuple[str, Mapping[str, Any]]:
    """What kind of message it is, and the object that is named after it."""
    if content.template is not None:
        return "template", _template(content.template)
    if content.buttons:
        return "interactive", _interactive(content)
    if content.media is not None:
        caption = {"caption": content.text} if content.text else {}
        return content.media.kind.value, _linked(content.media) | caption
    return "text", {"body": content.text}


def _template(template: ProviderTemplate) -> Mapping[str, Any]:
    said: dict[str, Any] = {"name": template.name, "language": {"code": template.language}}
    return said | {"components": list(template.components)} if template.components else said


def _interactive(content: Content) -> Mapping[str, Any]:
    """A text with buttons below it and, perhaps, something to look at above it."""
    media = content.media
    if not content.text or (media is not None and media.kind is MediaKind.AUDIO):
        raise MessageRejected("not_carried", "On WhatsApp buttons go with a text, and not with audio.")
    header = {} if media is None else {"header": {"type": media.kind.value, media.kind.value: _linked(media)}}
    replies = [{"type": "reply", "reply": {"id": each.id, "title": each.title}} for each in content.buttons]
    return header | {"type": "button", "body": {"text": content.text}, "action": {"buttons": replies}}


def _linked(media: Media) -> dict[str, str]:
    link = {"link": media.url}
    return link | {"filename": media.file_name} if media.file_name and media.kind is MediaKind.DOCUMENT else link


def _written(account: str, message: object, names: Mapping[str, str]) -> Inbound | Moved | None:
    """What a person did, unless it is a mere reaction to what was said."""
    kind = text_at(message, "type") or "unknown"
    # Who hides their number is known by another id; there is no answering to it, but it is not lost in silence.
    sender = id_at(message, "from") or id_at(message, "from_user_id")
    provider_id = id_at(message, "id")
    if not isinstance(message, dict) or not sender or not provider_id or kind == "reaction":
        return None
    if kind == "system":
        return _moved(account, sender, message.get("system"))
    media, words = _media(kind, message.get(kind)), _words(kind, message.get(kind))
    return Inbound(
        account,
        provider_id,
        _address(sender),
        _moment(message),
        words if words or media else f"[{kind}]",
        media,
        names.get(sender, ""),
        id_at(message, "context", "id"),
        _button(message.get(kind)),
    )


def _moved(account: str, sender: str, said: object) -> Moved | None:
    new = id_at(said, "wa_id")
    is_move = new and text_at(said, "type") == "user_changed_number"
    return Moved(account, _address(sender), _address(new)) if is_move else None


def _names(contacts: object) -> Mapping[str, str]:
    """By each id that WhatsApp knows people by."""
    return {text_at(each, id_): text_at(each, "profile", "name") for each in items(contacts) for id_ in _USER_IDS}


def _words(kind: str, said: object) -> str:
    match kind:
        case "text":
            return text_at(said, "body")
        case "button" | "interactive":
            places = (("text",), ("button_reply", "title"), ("list_reply", "title"), ("nfm_reply", "body"))
            return _first(text_at(said, *place) for place in places)
        case "location":
            return _place(said)
        case "contacts":
            return "\n".join(filter(None, map(_card, items(said))))
        case _ if kind in _MEDIA_KINDS:
            return text_at(said, "caption")
    return ""


def _button(said: object) -> str:
    places = (("payload",), ("button_reply", "id"), ("list_reply", "id"))
    return _first(field_at(said, *place) for place in places)


def _media(kind: str, said: object) -> Media | None:
    media_id = link_at(said, "id")
    if kind not in _MEDIA_KINDS or not media_id:
        return None
    return Media(_MEDIA_KINDS[kind], media_id, field_at(said, "filename"), field_at(said, "mime_type"))


def _place(said: object) -> str:
    match said:
        case {"latitude": int() | float() as latitude, "longitude": int() | float() as longitude}:
            named = filter(None, (text_at(said, "name"), text_at(said, "address")))
            return ", ".join([*named, f"{latitude}, {longitude}"])
    return ""


def _card(contact: object) -> str:
    phones = items(contact.get("phones")) if isinstance(contact, dict) else []
    told = (text_at(contact, "name", "formatted_name"), *(text_at(phone, "phone") for phone in phones))
    return ", ".join(filter(None, told))


def _first(texts: Iterable[str]) -> str:
    """Of those that say something."""
    return next(filter(None, texts), "")


def _address(wa_id: str) -> str:
    return f"+{wa_id}" if wa_id.isdigit() else wa_id


def _moment(told: Mapping[str, Any]) -> datetime:
    """Seconds since 1970, as text; now, where the provider does not say."""
    timestamp = told.get("timestamp")
    text = str(timestamp) if isinstance(timestamp, str | int) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return clock.now()
    return datetime.fromtimestamp(int(text), UTC)


def _our_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
