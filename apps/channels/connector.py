"""The contract between the dispatcher and a provider.

A connector is one file in connectors/. It hands our message to the provider, turns what comes of it into an id or
one of the errors of errors.py, and the provider's callbacks into receipts and messages of people. It knows no
model, no database and no other connector; no word of its provider leaves it.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from django.utils.functional import Promise

from apps.channels.callback import Callback, CallbackEvent
from apps.channels.capabilities import Capabilities, CredentialField, Limits
from apps.channels.content import Content, Media
from apps.channels.errors import MessageRejected
from apps.core.guarded_http import GuardedClient


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file of ours, for connectors that hand it over within the message (`MediaRule.by`)."""

    name: str
    media_type: str
    size: int
    # Read as they are wanted. Raises what errors.py says where the file cannot be had.
    pieces: Callable[[], AsyncGenerator[bytes]] = field(repr=False)
    # How long handing it over may take.
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outbound:
    message_id: UUID
    to: str
    content: Content = field(repr=False)
    credentials: Mapping[str, str] = field(repr=False)
    # The provider's id of the message that this one answers.
    answers: str = ""
    # Our address for this account's callbacks, for providers that are told with every message.
    callback_url: str = ""
    # Where the person says that they want no more of these.
    unsubscribe_url: str = field(default="", repr=False)
    file: OutboundFile | None = None


# Of what is handed out whole, within an answer or by a server that knows no ranges.
MOST_WHOLE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaSource:
    """Where a file that a person sent is fetched, or the file itself where the provider answers with it."""

    url: str = field(default="", repr=False)  # it may hold a secret
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # As the provider says; None where it does not.
    size: int | None = None
    media_type: str = ""
    content: bytes | None = field(default=None, repr=False)


class CalledAt(StrEnum):
    """Where a provider calls us."""

    # One address for all accounts: the callback names which it speaks of.
    CONNECTOR = "connector"
    # An address for each account.
    ACCOUNT = "account"
    # It never does.
    NOWHERE = "nowhere"


class Connector(ABC):
    label: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    limits: ClassVar[Limits]
    credentials: ClassVar[tuple[CredentialField, ...]]
    # The credential that names the account in the provider's callbacks.
    provider_account: ClassVar[str]
    called_at: ClassVar[CalledAt] = CalledAt.CONNECTOR
    # Where its owner pastes our address at the provider, and what else is asked for there.
    callback_hint: ClassVar[str | Promise] = ""
    # The credential that the provider shows when it asks whether an address is ours, where it asks with a GET.
    challenge_credential: ClassVar[str] = ""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    @abstractmethod
    async def send(self, client: GuardedClient, outbound: Outbound) -> str:
        """Hand the message over once. Returns the provider's id, or raises what errors.py says."""

    @abstractmethod
    async def check(self, client: GuardedClient, credentials: Mapping[str, str]) -> None:
        """Changes nothing. Raises what a send with these credentials would meet."""

    def shown_request(self, outbound: Outbound) -> str:
        """What is written to the provider, for operators to read: its credentials hide what is secret."""
        return ""

    @classmethod
    def bad_credentials(cls, _credentials: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with credentials that can be seen without asking anybody, by name. Told in words."""
        return {}

    async def call_back_at(self, client: GuardedClient, credentials: Mapping[str, str], url: str) -> bool:
        """Tell the provider where to call us. False where its owner does that by hand."""
        return False

    def verify_callback(self, callback: Callback, credentials: Mapping[str, str]) -> bool:
        """Whether the provider sent exactly this to the owner of these credentials, compared in constant time."""
        return False

    def accounts_of(self, callback: Callback) -> frozenset[str]:
        """Which accounts a callback speaks of, in the provider's words. Raises BadCallback."""
        return frozenset()

    def events_of(self, callback: Callback) -> Iterator[CallbackEvent]:
        """What a verified callback says; whatever else it holds is passed over. Raises BadCallback."""
        yield from ()

    async def locate_media(
        self, client: GuardedClient, credentials: Mapping[str, str], media: Media, provider_id: str
    ) -> MediaSource:
        """Where the file lies that came with the message of that id. Raises what errors.py says."""
        raise MessageRejected("not_handed_out", "This channel hands out no files.")

    def storable(self, callback: Callback) -> bytes:
        """The body as it may lie in the database: without what is secret in it."""
        return callback.body

    def answer_to(self, callback: Callback) -> bytes:
        """What a verified callback is answered with, as JSON. Nothing, unless the provider waits for a word."""
        return b""

    def challenge(self, query: Mapping[str, str]) -> tuple[str, str] | None:
        """What a GET shows as `challenge_credential`, and what to answer where that is an account's."""
        return None
