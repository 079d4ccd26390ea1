"""What holds for the callbacks of every provider. The part of ConnectorSuite that is about what comes in."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from apps.channels.callback import (
    BadCallback,
    Callback,
    CallbackEvent,
    Inbound,
    Receipt,
    is_storable_id,
    storable_text,
)
from apps.channels.connector import CalledAt, Connector
from apps.channels.registry import connector_class
from tests.cast import CREDENTIALS

BASE = "https://provider.example/v1"
GARBAGE = [
    b"",
    b"OK",
    b"<html>",
    b"null",
    b"[]",
    b"{}",
    b"3",
    b'"x"',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 100_000,
]
# Stands for something that is nested deeper than Python likes to walk.
DEEP = "deep"
NESTED = b"[" * 990 + b"]" * 990
# The suite's tests are run by each of the classes that derive from it.
SHARED = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
HOSTILE: list[Any] = [
    None,
    True,
    0,
    -1,
    2**64 - 1,
    1.5,
    "",
    "a\0b",
    "x" * 300,
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    DEEP,
]


class CallbackSuite:
    name: ClassVar[str]
    # Callbacks of the account, with what they say.
    callbacks: ClassVar[list[tuple[bytes, list[CallbackEvent]]]]
    # What a callback must not be, besides GARBAGE: another provider's, say.
    foreign: ClassVar[list[bytes]]

    def signed(self, body: bytes, credentials: Mapping[str, str]) -> dict[str, str]:
        """The headers that the provider sends with a callback."""
        raise NotImplementedError

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        for name, rows in cls.tables().items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, rows, ids=[f"{number}-{row}"[:40] for number, row in enumerate(rows)])

    @classmethod
    def tables(cls) -> dict[str, list[Any]]:
        """The rows with which the tests that name them are run."""
        return {"bad_callback": [*GARBAGE, *cls.foreign], "callback": cls.callbacks}

    @property
    def credentials(self) -> dict[str, str]:
        return CREDENTIALS[self.name]

    @property
    def secrets(self) -> list[str]:
        kind = connector_class(self.name)
        return [self.credentials[each.name] for each in kind.credentials if each.is_secret]

    def connector(self, base_url: str = BASE) -> Connector:
        return connector_class(self.name)(base_url)

    def call(self, body: bytes, headers: Mapping[str, str] | None = None) -> Callback:
        return Callback(f"https://recado.example/v1/hooks/{self.name}", CIMultiDict(headers or {}), body)

    def verified(self, headers: Mapping[str, str], body: bytes, **credentials: str) -> bool:
        return self.connector().verify_callback(self.call(body, headers), self.credentials | credentials)

    def test_callback_of_the_provider_is_believed(self, callback: tuple[bytes, list[CallbackEvent]]) -> None:
        headers = self.signed(callback[0], self.credentials)
        assert self.verified(headers, callback[0])
        assert self.verified({name.lower(): value for name, value in headers.items()}, callback[0])

    def test_callback_that_is_not_signed_is_not_believed(self) -> None:
        body = self.callbacks[0][0]
        assert not self.verified({}, body)
        for name in self.signed(body, self.credentials):
            for forged in ("", "sha256", "sha256=", "=", "é", "sha256=é", "sha256=\udc80", "sha256=" + "0" * 64):
                assert not self.verified({name: forged}, body)

    def test_callback_under_another_secret_is_not_believed(self) -> None:
        body = self.callbacks[0][0]
        others = {name: f"other {value}" for name, value in self.credentials.items()}
        assert not self.verified(self.signed(body, others), body)

    def test_callback_that_was_changed_on_the_way_is_not_believed(self) -> None:
        body = self.callbacks[0][0]
        headers = self.signed(body, self.credentials)
        assert not self.verified(headers, body + b" ")
        assert not self.verified(headers, body[:-1])

    def test_callback_names_its_account(self, callback: tuple[bytes, list[CallbackEvent]]) -> None:
        kind = connector_class(self.name)
        own = {self.credentials[kind.provider_account]} if kind.called_at is CalledAt.CONNECTOR else set()
        assert self.connector().accounts_of(self.call(callback[0])) == own

    def test_events_are_read_in_order(self, callback: tuple[bytes, list[CallbackEvent]]) -> None:
        body, expected = callback
        read = list(self.connector().events_of(self.call(body)))
        assert [comparable(each) for each in read] == [comparable(each) for each in expected]
        assert all(each.at.tzinfo is not None for each in read if isinstance(each, Receipt | Inbound))

    def test_body_that_is_no_callback_is_said_to_be_none(self, bad_callback: bytes) -> None:
        connector = self.connector()
        if connector.called_at is CalledAt.CONNECTOR:
            with pytest.raises(BadCallback):
                connector.accounts_of(self.call(bad_callback))
        with pytest.raises(BadCallback):
            list(connector.events_of(self.call(bad_callback)))

    def test_hostile_callback_never_fails_in_another_way(self) -> None:
        """A provider's callback with each part of it, one at a time, replaced by something it never is."""
        connector = self.connector()
        for original, _ in self.callbacks:
            for number, _place in enumerate(places(orjson.loads(original))):
                for instead in HOSTILE:
                    document = orjson.loads(original)
                    holder, key = places(document)[number]
                    holder[key] = instead
                    body = orjson.dumps(document).replace(b'"deep"', NESTED)
                    self.read_or_refuse(connector, body)

    @SHARED
    @given(st.binary(max_size=200))
    def test_random_bytes_never_fail_in_another_way(self, body: bytes) -> None:
        self.read_or_refuse(self.connector(), body)

    @SHARED
    @given(st.data())
    def test_callback_damaged_on_the_way_never_fails_in_another_way(self, data: st.DataObject) -> None:
        body = data.draw(st.sampled_from([body for body, _ in self.callbacks]))
        start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        self.read_or_refuse(self.connector(), body[:start])
        self.read_or_refuse(self.connector(), body[:start] + data.draw(st.binary(max_size=8)) + body[end:])

    def read_or_refuse(self, connector: Connector, body: bytes) -> None:
        with suppress(BadCallback):
            assert all(map(is_storable_id, connector.accounts_of(self.call(body))))
            assert all(map(is_storable, connector.events_of(self.call(body))))


def is_storable(event: CallbackEvent) -> bool:
    """As it is: what is not, nobody cleans before it is written."""
    if isinstance(event, Inbound):
        media = event.media
        parts = [event.answers, event.button, *([media.url, media.file_name, media.media_type] if media else [])]
        return is_storable_id(event.provider_id) and all(part == storable_text(part) for part in parts)
    return not isinstance(event, Receipt) or is_storable_id(event.provider_id)


def comparable(event: CallbackEvent) -> Any:
    if not isinstance(event, Receipt):
        return event
    receipt = event
    error = receipt.error and (type(receipt.error), vars(receipt.error))
    return (receipt.provider_account, receipt.provider_id, receipt.status, receipt.at, receipt.message_id, error)


def places(document: Any) -> list[tuple[Any, Any]]:
    """Everywhere that something of this document may be replaced."""
    keys = (
        document.keys()
        if isinstance(document, dict)
        else range(len(document))
        if isinstance(document, list)
        else ()
    )
    return [(document, key) for key in keys] + [each for key in keys for each in places(document[key])]
