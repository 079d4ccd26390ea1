"""Instagram, by Meta's messaging API. It echoes no id of ours and never says that something was delivered."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from apps.channels.callback import BadCallback, Callback, CallbackEvent, Receipt, ReceiptStatus, is_storable_id
from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits
from apps.channels.connector import Outbound
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.http_connector import HttpConnector, Request, retry_after
from apps.channels.signatures import is_sha256_of
from apps.core import clock
from apps.core.guarded_http import Answer
from apps.core.limiter import Limit

_TRANSIENT = frozenset({1, 2, 1200})
_ACCOUNT_LIMIT = frozenset({4, 17, 32, 613, 80002})
_ACCOUNT_REJECTED = frozenset({10, 102, 190, *range(200, 300)})
_UNREACHABLE = 551
# Subcodes speak of one conversation under a code that otherwise speaks of the account: the person did not write
# within the window; the person cannot be reached, or is not known.
_OUTSIDE_WINDOW = frozenset({2018065, 2018278, 2534022})
_NO_SUCH_PERSON = frozenset({1545041, 2018001, 2018108, 2534014})


class Instagram(HttpConnector):
    label = "Instagram"
    capabilities = Capabilities(
        address=AddressKind.INSTAGRAM_ID, longest_text=1000, text_unit="bytes", reports_read=True
    )
    # 300 text calls a second for an account.
    limits = Limits(account=Limit(rate=300, burst=300))
    credentials = (
        CredentialField("instagram_id", _("The id of the professional account."), is_secret=False),
        CredentialField("access_token", _("A long-lived token of that account.")),
        CredentialField("app_secret", _("Of the Meta app that calls us back; it signs the callbacks.")),
    )
    provider_account = "instagram_id"

    def build_request(self, outbound: Outbound) -> Request:
        return Request(
            url=f"{self.base_url}/{outbound.credentials['instagram_id']}/messages",
            headers=_headers(outbound.credentials),
            body=orjson.dumps({"recipient": {"id": outbound.to}, "message": {"text": outbound.content.text}}),
        )

    def build_check(self, credentials: Mapping[str, str]) -> Request:
        # Not /me: a good token of another account must not pass.
        url = f"{self.base_url}/{credentials['instagram_id']}"
        return Request(method="GET", url=url, headers=_headers(credentials), body=b"")

    def read_answer(self, answer: Answer) -> str:
        match orjson.loads(answer.body):
            case {"message_id": str(provider_id)}:
                return provider_id
        raise ValueError("no message id")

    def classify(self, answer: Answer) -> SendFailed:
        try:
            document = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            document = None
        match document:
            case {"error": {"code": int()} as error}:
                return _failure(error, answer.status, retry_after(answer))
        if answer.status == 429:
            return RateLimited("429", "Too many requests.", retry_after=retry_after(answer))
        if answer.status == 401:
            return AccountRejected("401", "The credentials were refused.")
        if answer.status >= 500:
            return Transient(str(answer.status), "The provider failed.", retry_after=retry_after(answer))
        return MessageRejected(str(answer.status), "The provider refused, without saying why.")

    def verify_callback(self, callback: Callback, credentials: Mapping[str, str]) -> bool:
        claimed = callback.headers.get("X-Hub-Signature-256", "")
        return is_sha256_of(callback.body, credentials["app_secret"], claimed)

    def accounts_of(self, callback: Callback) -> frozenset[str]:
        return frozenset(account for account, _event in _events(callback.body))

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        for account, event in _events(callback.body):
            match event:
                case {"message": {"is_echo": True, "mid": str(provider_id)}} if is_storable_id(provider_id):
                    yield Receipt(account, provider_id, ReceiptStatus.SENT, _moment(event))
                case {"read": {"mid": str(provider_id)}} if is_storable_id(provider_id):
                    yield Receipt(account, provider_id, ReceiptStatus.READ, _moment(event))


CONNECTOR = Instagram


def _headers(credentials: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials['access_token']}", "Content-Type": "application/json"}


def _failure(error: Mapping[str, Any], status: int, wait: float | None) -> SendFailed:
    """By code and subcode; never by words or HTTP status."""
    code, subcode, message = error["code"], error.get("error_subcode"), error.get("message")
    name, detail = str(code), message if isinstance(message, str) else ""
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


def _events(body: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The id of our account, and one thing that happened to it."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadCallback("not JSON") from error
    if not isinstance(document, dict) or document.get("object") != "instagram":
        raise BadCallback("not about Instagram")
    entries = document.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case {"id": str(account), "messaging": [*events]} if is_storable_id(account):
                for event in events:
                    if isinstance(event, dict):
                        yield account, event


def _moment(event: Mapping[str, Any]) -> datetime:
    """Milliseconds since 1970; now, where the provider does not say."""
    timestamp = event.get("timestamp")
    if not isinstance(timestamp, int) or not 0 <= timestamp < 10**14:
        return clock.now()
    return datetime.fromtimestamp(timestamp / 1000, UTC)
