"""Instagram, by Meta's messaging API. It echoes no id of ours and never says that something was delivered."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from apps.channels.callback import Callback, CallbackEvent, Inbound, Receipt, ReceiptStatus, is_storable_id
from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits, MediaRule
from apps.channels.connector import MediaSource, Outbound
from apps.channels.content import Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.meta import OF_THE_APP, MetaConnector, field_at, id_at, items, link_at, text_at
from apps.core import clock
from apps.core.guarded_http import Answer, GuardedClient
from apps.core.limiter import Limit

_TRANSIENT = frozenset({1, 2, 1200})
_ACCOUNT_LIMIT = frozenset({4, 17, 32, 613, 80002})
_ACCOUNT_REJECTED = frozenset({10, 102, 190, *range(200, 300)})
_UNREACHABLE = 551
# Subcodes speak of one conversation under a code that otherwise speaks of the account: the person did not write
# within the window; the person cannot be reached, or is not known.
_OUTSIDE_WINDOW = frozenset({2018065, 2018278, 2534022})
_NO_SUCH_PERSON = frozenset({1545041, 2018001, 2018108, 2534014})

_MEGABYTE = 1024**2
_MEDIA_KINDS = {kind.value: kind for kind in MediaKind} | {"file": MediaKind.DOCUMENT}


class Instagram(MetaConnector):
    label = "Instagram"
    capabilities = Capabilities(
        address=AddressKind.INSTAGRAM_ID,
        longest_text=1000,
        text_unit="bytes",
        media={
            MediaKind.IMAGE: MediaRule(8 * _MEGABYTE),
            MediaKind.AUDIO: MediaRule(25 * _MEGABYTE),
            MediaKind.VIDEO: MediaRule(25 * _MEGABYTE),
        },
        most_buttons=13,
        longest_button=20,
        quotes=True,
        reply_window=timedelta(hours=24),
        hears_replies=True,
        reports_read=True,
    )
    # 300 text calls a second for an account.
    limits = Limits(account=Limit(rate=300, burst=300))
    credentials = (
        CredentialField("instagram_id", _("The id of the professional account."), is_secret=False),
        CredentialField("access_token", _("A long-lived token of that account.")),
        *OF_THE_APP,
    )
    provider_account = "instagram_id"
    callback_object = "instagram"
    callback_hint = _(
        "In the Meta app, Instagram → API setup → Configure webhooks: this as Callback URL, and as Verify token "
        "the credential verify_token. It is secret, so it is not shown here: enter a new one below if nobody "
        "knows it. Then subscribe to messages, messaging_postbacks, messaging_seen and message_echoes."
    )

    def build_body(self, outbound: Outbound) -> Mapping[str, Any]:
        content = outbound.content
        said: dict[str, Any] = {"text": content.text}
        if content.media is not None:
            said = {"attachment": {"type": content.media.kind.value, "payload": {"url": content.media.url}}}
        if content.buttons:
            said["quick_replies"] = [
                {"content_type": "text", "title": button.title, "payload": button.id} for button in content.buttons
            ]
        body = {"recipient": {"id": outbound.to}, "message": said}
        return body | {"reply_to": {"mid": outbound.answers}} if outbound.answers else body

    def read_answer(self, answer: Answer) -> str:
        match orjson.loads(answer.body):
            case {"message_id": str(provider_id)}:
                return provider_id
        raise ValueError("no message id")

    def failure(self, error: Mapping[str, Any], status: int, wait: float | None = None) -> SendFailed:
        code, subcode = error["code"], error.get("error_subcode")
        name, detail = str(code), text_at(error, "message")
        if not isinstance(subcode, int):
            subcode = None
        if code == _UNREACHABLE or subcode in _NO_SUCH_PERSON:
            return RecipientRejected(name, detail)
        if code in _ACCOUNT_LIMIT:
            return RateLimited(name, detail, retry_after=wait)
        if subcode in _OUTSIDE_WINDOW:
            return MessageRejected(name, detail)
        if code in _ACCOUNT_REJECTED:
            return AccountRejected(name, detail)
        if code in _TRANSIENT or status >= 500:
            return Transient(name, detail, retry_after=wait)
        return MessageRejected(name, detail)

    def accounts_of(self, callback: Callback) -> frozenset[str]:
        return frozenset(account for account, _event in self._events(callback))

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        for account, event in self._events(callback):
            match event:
                case {"message": {"is_echo": True, "mid": str(provider_id)}} if is_storable_id(provider_id):
                    yield Receipt(account, provider_id, ReceiptStatus.SENT, _moment(event))
                case {"read": {"mid": str(provider_id)}} if is_storable_id(provider_id):
                    yield Receipt(account, provider_id, ReceiptStatus.READ, _moment(event))
                case {"message": {"is_deleted": True}}:
                    pass  # they took it back
                case {"message": dict() as said} | {"postback": dict() as said}:
                    if inbound := _inbound(account, event, said):
                        yield inbound

    async def locate_media(
        self, client: GuardedClient, credentials: Mapping[str, str], media: Media, provider_id: str
    ) -> MediaSource:
        """Its link is signed, and wants no token."""
        return MediaSource(media.url)

    def _events(self, callback: Callback) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The id of our account, and one thing that happened to it."""
        for entry in self.entries_of(callback):
            account = id_at(entry, "id")
            for event in items(entry.get("messaging")):
                if account and isinstance(event, dict):
                    yield account, event


CONNECTOR = Instagram


def _inbound(account: str, event: Mapping[str, Any], said: Mapping[str, Any]) -> Inbound | None:
    """A message, or a button of one of ours that was touched; such a one has a title in place of a text."""
    sender, provider_id = id_at(event, "sender", "id"), id_at(said, "mid")
    if not sender or not provider_id:
        return None
    media, rest = _attached(said)
    words = [text_at(said, "text") or text_at(said, "title"), *rest]
    text = "\n".join(filter(None, words))
    return Inbound(
        account,
        provider_id,
        sender,
        _moment(event),
        text if text or media else "[unsupported]",
        media,
        answers=id_at(said, "reply_to", "mid"),
        button=field_at(said, "quick_reply", "payload") or field_at(said, "payload"),
    )


def _attached(said: Mapping[str, Any]) -> tuple[Media | None, list[str]]:
    """The first thing to look at or to listen to; a line of text for each that we have no place for."""
    media: Media | None = None
    lines: list[str] = []
    for attachment in items(said.get("attachments")):
        kind, url = field_at(attachment, "type") or "unknown", link_at(attachment, "payload", "url")
        if media is None and url and kind in _MEDIA_KINDS:
            media = Media(_MEDIA_KINDS[kind], url)
        else:
            lines.append(f"[{kind}] {url}".rstrip())
    return media, lines


def _moment(event: Mapping[str, Any]) -> datetime:
    """Milliseconds since 1970; now, where the provider does not say."""
    timestamp = event.get("timestamp")
    if not isinstance(timestamp, int) or not 0 <= timestamp < 10**14:
        return clock.now()
    return datetime.fromtimestamp(timestamp / 1000, UTC)
