"""The contract of a store: objects by key, put whole or in parts, handed out by links that expire.

All of it is synchronous and may take long: never called on an event loop, nor within a transaction.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

type Bytes = bytes | bytearray

# What every S3 demands of all parts but the last, and how many it takes.
SMALLEST_PART = 5 * 1024 * 1024
MOST_PARTS = 10_000
READ_BYTES = 1024 * 1024


class StoreFailed(Exception):
    """Why the store did not do what it was asked, in words without secrets."""


class StoreUnavailable(StoreFailed):
    """It is down or does not answer; later it may."""


class StoreFull(StoreFailed):
    """There is no room left."""


class NoSuchObject(StoreFailed):
    """There is no such object."""


class NoSuchUpload(StoreFailed):
    """Its parts are not there: it was ended or aborted."""


class BadParts(StoreFailed):
    """The parts are not what was said of them."""


class BadLink(StoreFailed):
    """A link of ours that was tampered with, or has expired."""


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    size: int
    # The store's own name for what it holds; never believed to be a checksum.
    etag: str


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A PUT of so many bytes to this address, until then, by whoever has it."""

    number: int
    size: int
    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Download:
    """How an object is handed out."""

    key: str
    file_name: str
    media_type: str
    is_inline: bool
    seconds: int


class Store(ABC):
    @abstractmethod
    def put(self, key: str, content: Bytes) -> None:
        """A small object, whole."""

    @abstractmethod
    def read(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """From byte `start` to before byte `stop`; nothing behind the end. Raises NoSuchObject."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Also where it is not there."""

    @abstractmethod
    def begin(self, key: str) -> str:
        """The store's id of an upload in parts."""

    @abstractmethod
    def put_part(self, key: str, upload: str, number: int, content: Bytes) -> Part: ...

    @abstractmethod
    def parts(self, key: str, upload: str) -> list[Part]:
        """What arrived, in order. Raises NoSuchUpload."""

    @abstractmethod
    def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Make one object of them. Raises NoSuchUpload or BadParts."""

    @abstractmethod
    def abort(self, key: str, upload: str) -> None:
        """Forget its parts; also where there are none."""

    @abstractmethod
    def abort_all(self, key: str) -> None:
        """Whatever uploads of this key were begun, also those whose id nobody knows."""

    @abstractmethod
    def sign_part(self, key: str, upload: str, number: int, size: int, seconds: int) -> SignedPart: ...

    @abstractmethod
    def sign_download(self, download: Download) -> str:
        """A link that hands out exactly this, in exactly this way."""
