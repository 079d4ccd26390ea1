"""WhatsApp, by Meta's Cloud API."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

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

_DAY = 24 * 3600.0
_TRANSIENT = frozenset({1, 2, 131000, 131016})
_ACCOUNT_LIMIT = frozenset({4, 80007, 130429})
_RECIPIENT_LIMIT = 131056
_HOLD_A_DAY = 131049
# Also: 3 and 131005 want a permission, 33 and 133010 miss the number itself.
_ACCOUNT_REJECTED = frozenset({0, 3, 10, 33, 190, 368, 131005, 131031, 131042, 131048, 133010, *range(200, 300)})
_RECIPIENT_REJECTED = 131026
_OPTED_OUT = 131050
# Of 100, "invalid parameter": the object in the address, which is the number, does not exist for this token.
_NO_SUCH_NUMBER = 33


class WhatsappCloud(HttpConnector):
    label = "WhatsApp"
    capabilities = Capabilities(
        address=AddressKind.PHONE,
        longest_text=4096,
        echoes_our_id=True,
        reports_delivered=True,
        reports_read=True,
    )
    # 80 a second for a number; about one in six seconds for one recipient, of which 45 may come at once.
    limits = Limits(account=Limit(rate=80, burst=80), recipient=Limit(rate=1 / 6, burst=45))
    credentials = (
        CredentialField("phone_number_id", _("The number's id, not the number itself."), is_secret=False),
        CredentialField("access_token", _("A system user's permanent token.")),
        CredentialField("app_secret", _("Of the Meta app that calls us back; it signs the callbacks.")),
    )
    provider_account = "phone_number_id"

    def build_request(self, outbound: Outbound) -> Request:
        return Request(
            url=f"{self.base_url}/{outbound.credentials['phone_number_id']}/messages",
            headers=_headers(outbound.credentials),
            body=orjson.dumps(
                {
                    "messaging_product": "whatsapp",
                    "recipient_type": "individual",
                    "to": outbound.to.removeprefix("+"),
                    "type": "text",
                    "text": {"body": outbound.content.text},
                    "biz_opaque_callback_data": str(outbound.message_id),
                }
            ),
        )

    def build_check(self, credentials: Mapping[str, str]) -> Request:
        url = f"{self.base_url}/{credentials['phone_number_id']}"
        return Request(method="GET", url=url, headers=_headers(credentials), body=b"")

    def read_answer(self, answer: Answer) -> str:
        match orjson.loads(answer.body):
            case {"messages": [{"id": str(provider_id)}, *_]}:
                return provider_id
        raise ValueError("no message id")

    def classify(self, answer: Answer) -> SendFailed:
        try:
            document = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            document = None
        error = document.get("error") if isinstance(document, dict) else None
        if isinstance(error, dict) and isinstance(error.get("code"), int):
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
        return frozenset(account for account, _value in _values(callback.body))

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        for account, value in _values(callback.body):
            statuses = value.get("statuses")
            for status in statuses if isinstance(statuses, list) else ():
                match status:
                    case {
                        "id": str(provider_id),
                        "status": "sent" | "delivered" | "read" | "failed" as word,
                    } if is_storable_id(provider_id):
                        yield Receipt(
                            account,
                            provider_id,
                            ReceiptStatus(word),
                            _moment(status.get("timestamp")),
                            _our_id(status.get("biz_opaque_callback_data")),
                            _receipt_error(status) if word == "failed" else None,
                        )


CONNECTOR = WhatsappCloud


def _headers(credentials: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials['access_token']}", "Content-Type": "application/json"}


def _failure(error: Mapping[str, Any], status: int, wait: float | None = None) -> SendFailed:
    """By the code, which is stable; never by title or HTTP status, which are not."""
    code = error["code"]
    data = error.get("error_data")
    told = data.get("details") if isinstance(data, dict) else None
    words = (told, error.get("message"), error.get("title"))
    detail = next((text for text in words if isinstance(text, str) and text), "")
    name = str(code)
    if code in _ACCOUNT_LIMIT or code == _RECIPIENT_LIMIT:
        scope: Literal["account", "recipient"] = "recipient" if code == _RECIPIENT_LIMIT else "account"
        return RateLimited(name, detail, scope=scope, retry_after=wait)
    if code == _HOLD_A_DAY:
        return RateLimited(name, detail, scope="recipient", retry_after=_DAY)
    if code in _ACCOUNT_REJECTED or (code == 100 and error.get("error_subcode") == _NO_SUCH_NUMBER):
        return AccountRejected(name, detail)
    if code in {_RECIPIENT_REJECTED, _OPTED_OUT}:
        return RecipientRejected(name, detail, opted_out=code == _OPTED_OUT)
    if code in _TRANSIENT or status >= 500:
        return Transient(name, detail, retry_after=wait)
    return MessageRejected(name, detail)


def _receipt_error(status: Mapping[str, Any]) -> SendFailed:
    match status.get("errors"):
        case [{"code": int()} as error, *_]:
            return _failure(error, 400)
    return MessageRejected("", "The provider gave no reason.")


def _values(body: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The id of the phone number, and what the callback says about it."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadCallback("not JSON") from error
    if not isinstance(document, dict) or document.get("object") != "whatsapp_business_account":
        raise BadCallback("not about a WhatsApp account")
    entries = document.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        changes = entry.get("changes") if isinstance(entry, dict) else None
        for change in changes if isinstance(changes, list) else ():
            match change:
                case {"value": {"metadata": {"phone_number_id": str(account)}} as value}:
                    if is_storable_id(account):
                        yield account, value


def _moment(timestamp: object) -> datetime:
    """Seconds since 1970, as text; now, where the provider does not say."""
    text = str(timestamp) if isinstance(timestamp, str | int) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return clock.now()
    return datetime.fromtimestamp(int(text), UTC)


def _our_id(text: object) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
