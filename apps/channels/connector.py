"""The contract between the dispatcher and a provider.

A connector is one file in connectors/. It turns our message into the provider's request, the provider's answer
into an id or one of the errors of errors.py, and the provider's callbacks into receipts. It knows no model, no
database and no other connector; no word of its provider leaves it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from django.utils.functional import Promise

from apps.channels.errors import AccountRejected, OutcomeUnknown, SendFailed, Transient
from apps.core.guarded_http import Answer, GuardedClient, NeverWritten, PerhapsWritten, TargetRefused
from apps.core.limiter import Limit

LONGEST_PROVIDER_ID = 255
# Shorter ones would be found in ordinary words.
SHORTEST_SECRET = 8
HIDDEN = b"[hidden]"


class AddressKind(StrEnum):
    """What a person is reached by on a channel."""

    PHONE = "phone"
    INSTAGRAM_ID = "instagram_id"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the channel can carry and what it tells us; enforced when a message is accepted."""

    address: AddressKind
    longest_text: int
    text_unit: Literal["characters", "bytes"] = "characters"
    # Every receipt names our message id, so that an unknown outcome is settled by the receipt.
    echoes_our_id: bool = False
    # The provider drops a repetition of the same message id: an unknown outcome is simply sent again.
    sends_are_idempotent: bool = False
    reports_delivered: bool = False
    reports_read: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The provider's own limits, which a new account starts with."""

    account: Limit
    recipient: Limit | None = None


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One thing that the provider gave the account's owner. Secret ones are never shown again."""

    name: str
    hint: str | Promise
    is_secret: bool = True


@dataclass(frozen=True, slots=True)
class Outbound:
    message_id: UUID
    to: str
    text: str
    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"


class ReceiptStatus(StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says became of a message."""

    # Which of our accounts it speaks of, in the provider's words.
    provider_account: str
    provider_id: str
    status: ReceiptStatus
    at: datetime
    # Our own id, where the provider echoes it.
    message_id: UUID | None = None
    # Why, when it failed.
    error: SendFailed | None = None


class BadCallback(Exception):
    """A callback that is not in the shape its provider documents."""


class Connector(ABC):
    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    limits: ClassVar[Limits]
    credentials: ClassVar[tuple[CredentialField, ...]]
    # The credential that names the account in the provider's callbacks.
    provider_account: ClassVar[str]

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    @abstractmethod
    def build_request(self, outbound: Outbound) -> Request: ...

    @abstractmethod
    def build_check(self, credentials: Mapping[str, str]) -> Request:
        """A request that changes nothing and succeeds only with good credentials."""

    @abstractmethod
    def read_answer(self, answer: Answer) -> str:
        """The provider's id of the message, out of an answer that says yes. Raises ValueError if there is none."""

    @abstractmethod
    def classify(self, answer: Answer) -> SendFailed:
        """Why the provider said no."""

    @abstractmethod
    def verify_callback(self, headers: Mapping[str, str], body: bytes, credentials: Mapping[str, str]) -> bool:
        """Whether the provider sent exactly these bytes to the owner of these credentials."""

    @abstractmethod
    def accounts_of(self, body: bytes) -> frozenset[str]:
        """Which accounts a callback speaks of, in the provider's words. Raises BadCallback."""

    @abstractmethod
    def receipts_of(self, body: bytes) -> Iterator[Receipt]:
        """What a verified callback says about messages; whatever else it holds is passed over."""

    async def send(self, client: GuardedClient, outbound: Outbound) -> str:
        """Hand the message over once. Returns the provider's id, or raises what errors.py says."""
        answer = await self._ask(client, self.build_request(outbound), outbound.credentials)
        try:
            provider_id = self.read_answer(answer)
        except ValueError as error:
            raise OutcomeUnknown("unreadable", "The provider agreed in words that cannot be read.") from error
        if not is_storable_id(provider_id):
            raise OutcomeUnknown("unreadable", "The provider agreed, with an id that is none.")
        return provider_id

    async def check(self, client: GuardedClient, credentials: Mapping[str, str]) -> None:
        """Raises what a send with these credentials would meet."""
        try:
            await self._ask(client, self.build_check(credentials), credentials)
        except OutcomeUnknown as unknown:  # nothing was to be sent: it simply did not answer
            raise Transient(unknown.code, unknown.detail) from unknown

    async def _ask(self, client: GuardedClient, request: Request, credentials: Mapping[str, str]) -> Answer:
        try:
            answer = await client.request(request.method, request.url, headers=request.headers, body=request.body)
        except NeverWritten as error:
            raise Transient("unreachable", str(error)) from error
        except PerhapsWritten as error:
            raise OutcomeUnknown("no_answer", str(error)) from error
        except TargetRefused as error:
            raise AccountRejected("target_refused", error.reason) from error
        if 200 <= answer.status < 300:
            return answer
        if 300 <= answer.status < 400:
            # No provider of ours redirects: something else stands at its address, and knows nothing of messages.
            raise Transient(str(answer.status), "The provider's address answers with a redirect.")
        raise self.classify(self._without_secrets(answer, credentials))

    def _without_secrets(self, answer: Answer, credentials: Mapping[str, str]) -> Answer:
        """Providers quote the token that they refuse; their words are kept and shown."""
        body = answer.body
        for each in self.credentials:
            value = credentials.get(each.name, "")
            if each.is_secret and len(value) >= SHORTEST_SECRET:
                body = body.replace(value.encode(), HIDDEN).replace(value.replace("/", "\\/").encode(), HIDDEN)
        return replace(answer, body=body)


def is_storable_id(provider_id: str) -> bool:
    return 0 < len(provider_id) <= LONGEST_PROVIDER_ID and "\0" not in provider_id


def text_length(capabilities: Capabilities, text: str) -> int:
    return len(text.encode()) if capabilities.text_unit == "bytes" else len(text)


def retry_after(answer: Answer) -> float | None:
    """Seconds, as the header says; the form with a date is not used by any provider of ours."""
    text = answer.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
