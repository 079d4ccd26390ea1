"""What WhatsApp and Instagram have in common: Meta's Graph API, its errors, and how it calls back."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import orjson
from django.utils.translation import gettext_lazy as _

from apps.channels.callback import BadCallback, Callback, is_storable_id, storable_text
from apps.channels.capabilities import CredentialField
from apps.channels.connector import Outbound
from apps.channels.errors import AccountRejected, MessageRejected, RateLimited, SendFailed, Transient
from apps.channels.http_connector import HttpConnector, Request, retry_after
from apps.channels.signatures import is_sha256_of
from apps.core.guarded_http import Answer

# Of Meta's app, which may serve several accounts.
OF_THE_APP = (
    CredentialField("app_secret", _("Of the Meta app that calls us back; it signs the callbacks.")),
    CredentialField(
        "verify_token", _("What you tell Meta when you give it our address; it shows it to us."), is_required=False
    ),
)
_LONGEST_CHALLENGE = 200
_LONGEST_FIELD = 200
_LONGEST_LINK = 2000


class MetaConnector(HttpConnector):
    # What every callback of this product names as its subject.
    callback_object: ClassVar[str]
    challenge_credential = "verify_token"

    @abstractmethod
    def build_body(self, outbound: Outbound) -> Mapping[str, Any]:
        """The message in Meta's words."""

    @abstractmethod
    def failure(self, error: Mapping[str, Any], status: int, wait: float | None = None) -> SendFailed:
        """By the error's `code`, a number, which is stable; never by words or HTTP status, which are not."""

    def build_request(self, outbound: Outbound) -> Request:
        return Request(
            url=f"{self._account_url(outbound.credentials)}/messages",
            headers=_headers(outbound.credentials),
            body=orjson.dumps(self.build_body(outbound)),
        )

    def build_check(self, credentials: Mapping[str, str]) -> Request:
        # Not /me: a good token of another account must not pass.
        return Request(method="GET", url=self._account_url(credentials), headers=_headers(credentials), body=b"")

    def classify(self, answer: Answer) -> SendFailed:
        try:
            document = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            document = None
        match document:
            case {"error": {"code": int()} as error}:
                return self.failure(error, answer.status, retry_after(answer))
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

    def challenge(self, query: Mapping[str, str]) -> tuple[str, str] | None:
        token, answer = query.get("hub.verify_token", ""), query.get("hub.challenge", "")
        is_asked = query.get("hub.mode") == "subscribe" and token
        is_fit = 0 < len(answer) <= _LONGEST_CHALLENGE and answer.isascii() and answer.isprintable()
        return (token, answer) if is_asked and is_fit else None

    def entries_of(self, callback: Callback) -> Iterator[Mapping[str, Any]]:
        """Raises BadCallback."""
        try:
            document = orjson.loads(callback.body)
        except orjson.JSONDecodeError as error:
            raise BadCallback("not JSON") from error
        if not isinstance(document, dict) or document.get("object") != self.callback_object:
            raise BadCallback(f"not about {self.label}")
        for entry in items(document.get("entry")):
            if isinstance(entry, dict):
                yield entry

    def _account_url(self, credentials: Mapping[str, str]) -> str:
        return f"{self.base_url}/{credentials[self.provider_account]}"


def items(value: object) -> list[Any]:
    """Of what should be a list."""
    return value if isinstance(value, list) else []


def text_at(holder: object, *names: str) -> str:
    """The text that lies so deep in objects; empty where there is none."""
    for name in names:
        holder = holder.get(name) if isinstance(holder, dict) else None
    return holder if isinstance(holder, str) else ""


def id_at(holder: object, *names: str) -> str:
    """As `text_at`, where it can be stored as an id."""
    found = text_at(holder, *names)
    return found if is_storable_id(found) else ""


def link_at(holder: object, *names: str) -> str:
    """As `text_at`, where it can be kept whole: half a link, or half an id of media, leads nowhere."""
    found = text_at(holder, *names)
    return found if len(found) <= _LONGEST_LINK and found == storable_text(found) else ""


def field_at(holder: object, *names: str) -> str:
    """As `text_at`, in a length that fits beside a message."""
    return storable_text(text_at(holder, *names))[:_LONGEST_FIELD]


def _headers(credentials: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials['access_token']}", "Content-Type": "application/json"}
