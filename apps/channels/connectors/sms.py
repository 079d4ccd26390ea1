"""SMS, and pictures as MMS, by Twilio's Programmable Messaging."""

import base64
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit
from uuid import UUID

import orjson
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.channels.callback import (
    BadCallback,
    Callback,
    CallbackEvent,
    Inbound,
    Receipt,
    ReceiptStatus,
    storable_text,
)
from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits, MediaRule
from apps.channels.connector import CalledAt, MediaSource, Outbound
from apps.channels.content import Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.http_connector import HttpConnector, Request, retry_after
from apps.channels.signatures import is_twilios
from apps.core import clock
from apps.core.guarded_http import Answer, CallFailed, GuardedClient, TargetRefused
from apps.core.limiter import Limit

_LONGEST_TEXT = 1600
_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_MESSAGING_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_MESSAGE_SID = re.compile(r"[SM]M[0-9a-f]{32}")

# Too many requests; what waits at Twilio for this sender is more than it sends in ten hours.
_ACCOUNT_LIMIT = frozenset({20429, 21611})
# A queue that ran over, a fault that the carrier does not name, a carrier that is congested or does not answer.
_TRANSIENT = frozenset({30001, 30008, 30017, 30410})
# The account or its token; a sender that is none, is not the account's, or may not send; our own address, where
# Twilio cannot call it.
_ACCOUNT_REJECTED = frozenset(
    {10001, 20003, 20005, 20006, 20404, 21212, 21603, 21606, 21609, 21659, 21660, 21703, 21705, 30002, 30034}
)
# No number, no mobile one, or out of reach, for now or for good. Also of a country that the account has not
# opened, and of somebody whom a trial account does not know: others are still reached.
_RECIPIENT_REJECTED = frozenset(
    {21211, 21214, 21217, 21408, 21608, 21612, 21614, 21635, 30003, 30004, 30005, 30006}
)
_OPTED_OUT = 21610

# What happens before is ours to know already: accepted, scheduled, queued, sending.
_STATUSES = {
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "undelivered": ReceiptStatus.FAILED,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.FAILED,
}
# A message with all of its pictures has about fifty.
_MOST_FIELDS = 200
_MOST_MEDIA = 10


class Sms(HttpConnector):
    label = "SMS"
    capabilities = Capabilities(
        address=AddressKind.PHONE,
        longest_text=_LONGEST_TEXT,
        media={MediaKind.IMAGE: MediaRule(5 * 1024 * 1024, _LONGEST_TEXT)},
        hears_replies=True,
        echoes_our_id=True,
        reports_delivered=True,
    )
    # What most senders carry; a number of the United States or Canada carries one a second, and Twilio keeps the
    # rest waiting.
    limits = Limits(account=Limit(rate=10, burst=100))
    credentials = (
        CredentialField(
            "account_sid", _("AC and 32 more characters, as Twilio's console shows it."), is_secret=False
        ),
        CredentialField("auth_token", _("Of that account; it signs the callbacks too.")),
        CredentialField(
            "sender",
            _("A number such as +15551234567 or a name, or a messaging service: MG and 32 more characters."),
            is_secret=False,
        ),
    )
    # The address that is called names the account.
    provider_account = ""
    called_at = CalledAt.ACCOUNT
    callback_hint = _(
        "In Twilio's console, Phone numbers → your number → Messaging → A message comes in: this as Webhook, "
        "HTTP POST. Statuses come here by themselves."
    )

    @classmethod
    def bad_credentials(cls, credentials: Mapping[str, str]) -> dict[str, str]:
        if _ACCOUNT_SID.fullmatch(credentials["account_sid"]):
            return {}
        return {"account_sid": gettext("AC and 32 of the characters 0-9 and a-f.")}

    def build_request(self, outbound: Outbound) -> Request:
        content, sender = outbound.content, outbound.credentials["sender"]
        form = {
            "To": outbound.to,
            "MessagingServiceSid" if _MESSAGING_SERVICE.fullmatch(sender) else "From": sender,
        }
        if content.text:
            form["Body"] = content.text
        if content.media is not None:
            form["MediaUrl"] = content.media.url
        if outbound.callback_url:
            # Comes back as the address that every receipt of this message calls.
            form["StatusCallback"] = f"{outbound.callback_url}?{urlencode({'message': outbound.message_id})}"
        return Request(
            url=f"{self._account_url(outbound.credentials)}/Messages.json",
            headers=_headers(outbound.credentials) | {"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )

    def build_check(self, credentials: Mapping[str, str]) -> Request:
        url = f"{self._account_url(credentials)}.json"
        return Request(method="GET", url=url, headers=_headers(credentials), body=b"")

    def read_answer(self, answer: Answer) -> str:
        match orjson.loads(answer.body):
            case {"sid": str(provider_id)}:
                return provider_id
        raise ValueError("no message id")

    def classify(self, answer: Answer) -> SendFailed:
        try:
            document = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            document = None
        match document:
            case {"code": int(code), "message": str(detail)}:
                return _failure(code, detail, answer.status, retry_after(answer))
        if answer.status == 429:
            return RateLimited("429", "Too many requests.", retry_after=retry_after(answer))
        if answer.status == 401:
            return AccountRejected("401", "The credentials were refused.")
        if answer.status >= 500:
            return Transient(str(answer.status), "The provider failed.", retry_after=retry_after(answer))
        return MessageRejected(str(answer.status), "The provider refused, without saying why.")

    def verify_callback(self, callback: Callback, credentials: Mapping[str, str]) -> bool:
        try:
            fields = _fields(callback.body)
        except BadCallback:
            return False
        claimed = callback.headers.get("X-Twilio-Signature", "")
        return is_twilios(callback.url, fields, credentials["auth_token"], claimed)

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        form = {name: storable_text(value) for name, value in _fields(callback.body)}
        provider_id = form.get("MessageSid", "")
        if not _MESSAGE_SID.fullmatch(provider_id):
            raise BadCallback("about no message")
        word = form.get("MessageStatus") or form.get("SmsStatus", "")
        if word in _STATUSES:
            message_id, error = _our_id(callback.url), _receipt_error(word, form)
            yield Receipt("", provider_id, _STATUSES[word], clock.now(), message_id, error)
        elif word in {"", "received"}:
            yield from _written(provider_id, form)

    async def locate_media(
        self, client: GuardedClient, credentials: Mapping[str, str], media: Media, provider_id: str
    ) -> MediaSource:
        """Twilio sends whoever knows the account on to where the file lies, which wants no credentials."""
        if not media.url.startswith(urljoin(self.base_url, "/")):
            return MediaSource(media.url)  # no other server is shown what is secret
        headers = _headers(credentials)
        try:
            answer = await client.request("GET", media.url, headers=headers | {"Range": "bytes=0-0"})
        except TargetRefused as refused:
            raise self.target_refused(refused) from refused
        except CallFailed as failed:  # asking twice does no harm
            raise Transient("unreachable", str(failed)) from failed
        if 300 <= answer.status < 400 and (location := answer.headers.get("Location")):
            return MediaSource(urljoin(media.url, location))
        if 200 <= answer.status < 300:
            return MediaSource(media.url, headers)
        if answer.status in {404, 410}:
            raise MessageRejected("gone", "The provider has no such file.")
        raise self.classify(self._without_secrets(answer, credentials, headers))

    def _account_url(self, credentials: Mapping[str, str]) -> str:
        return f"{self.base_url}/2010-04-01/Accounts/{credentials['account_sid']}"


CONNECTOR = Sms


def _headers(credentials: Mapping[str, str]) -> dict[str, str]:
    pair = f"{credentials['account_sid']}:{credentials['auth_token']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _failure(code: int, detail: str, status: int = 0, wait: float | None = None) -> SendFailed:
    """By the code, which says the same in an answer and in a receipt."""
    name = str(code)
    if code in _ACCOUNT_LIMIT:
        return RateLimited(name, detail, retry_after=wait)
    if code in _ACCOUNT_REJECTED:
        return AccountRejected(name, detail)
    if code in _RECIPIENT_REJECTED or code == _OPTED_OUT:
        return RecipientRejected(name, detail, opted_out=code == _OPTED_OUT)
    if code in _TRANSIENT or status >= 500:
        return Transient(name, detail, retry_after=wait)
    return MessageRejected(name, detail)


def _receipt_error(word: str, form: Mapping[str, str]) -> SendFailed | None:
    if _STATUSES[word] is not ReceiptStatus.FAILED:
        return None
    if word == "canceled":
        return MessageRejected(word, "It was cancelled at the provider.")
    code = form.get("ErrorCode", "")
    if code.isascii() and code.isdigit() and len(code) <= 6:
        return _failure(int(code), form.get("ErrorMessage", ""))
    return MessageRejected("", "The provider gave no reason.")


def _written(provider_id: str, form: Mapping[str, str]) -> Iterator[Inbound]:
    """What a person wrote. Each further picture is a message of its own."""
    sender, text, media = form.get("From", ""), form.get("Body", ""), _media(form)
    if sender and (text or media):
        yield Inbound("", provider_id, sender, clock.now(), text, media[0] if media else None)
        for number, picture in enumerate(media[1:], start=1):
            yield Inbound("", f"{provider_id}/{number}", sender, clock.now(), media=picture)


def _media(form: Mapping[str, str]) -> list[Media]:
    found = []
    for number in range(_MOST_MEDIA):
        url, media_type = form.get(f"MediaUrl{number}"), form.get(f"MediaContentType{number}", "")
        if url:
            found.append(Media(_kind(media_type), url, media_type=media_type))
    return found


def _kind(media_type: str) -> MediaKind:
    try:
        return MediaKind(media_type.partition("/")[0])
    except ValueError:
        return MediaKind.DOCUMENT


def _fields(body: bytes) -> list[tuple[str, str]]:
    """Of the form, in its order. Raises BadCallback."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadCallback("no form") from error


def _our_id(url: str) -> UUID | None:
    """As we wrote it into the address."""
    try:
        return UUID(parse_qs(urlsplit(url).query).get("message", [""])[0])
    except ValueError:
        return None
