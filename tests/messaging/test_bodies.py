"""What may be said about a message: the reading that is used, and the serializer that describes it, agree."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.messaging.api.bodies import DEEPEST_METADATA, LARGEST_METADATA, read_message
from apps.messaging.api.mistake import Mistake
from apps.messaging.api.schema import NewMessageBody
from apps.messaging.engine.new_message import NewMessage

ID = "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"
GOOD = {"account_id": ID, "to": "+5511912345601", "text": "Bom dia"}


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def mistakes(given: object) -> list[tuple[str, str]]:
    read = read_message(given)
    return [(each.field, each.code) for each in read] if isinstance(read, list) else []


FIELDS: list[tuple[str, Any, str | None]] = [
    ("text", "", "blank"),
    ("text", "  ", "blank"),
    ("text", None, "wrong_type"),
    ("text", 7, "wrong_type"),
    ("text", "a\0b", "null_characters_not_allowed"),
    ("text", "x" * 100_000, None),
    ("account_id", "not an id", "invalid"),
    ("account_id", "{" + ID[1:], "invalid"),
    ("account_id", 7, "wrong_type"),
    ("to", "x" * 255, "max_length"),
    ("to", "\0", "null_characters_not_allowed"),
    ("to", ["+5511912345601"], "wrong_type"),
    ("priority", "urgent", "invalid_choice"),
    ("priority", 1, "wrong_type"),
    ("priority", None, "wrong_type"),
    ("priority", "high", None),
    ("scheduled_at", None, None),
    ("scheduled_at", "2026-03-01T09:30:00-03:00", None),
    ("scheduled_at", "2026-03-01T09:30:00Z", None),
    ("scheduled_at", "tomorrow", "invalid"),
    ("scheduled_at", 1772354400, "wrong_type"),
    ("scheduled_at", "0001-01-01T00:00:00+14:00", "invalid"),
    ("scheduled_at", "9999-12-31T23:59:59-14:00", "invalid"),
    ("expires_at", True, "wrong_type"),
    ("reference", "x" * 120, None),
    ("reference", "", None),
    ("reference", "x" * 121, "max_length"),
    ("reference", None, "wrong_type"),
    ("metadata", {"order": 7, "tags": ["a", None, 1.5, True]}, None),
    ("metadata", [], "wrong_type"),
    ("metadata", None, "wrong_type"),
    ("colour", "red", "unknown_field"),
]


@pytest.mark.parametrize(("field", "value", "code"), FIELDS, ids=lambda value: str(value)[:20])
def test_what_is_wrong_with_a_field_is_said_and_described(field: str, value: Any, code: str | None) -> None:
    body = {**GOOD, field: value}
    assert mistakes(body) == ([(field, code)] if code else [])
    assert NewMessageBody(data=body).is_valid() == (code is None)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        (nested(DEEPEST_METADATA), None),
        (nested(DEEPEST_METADATA + 1), "nested_too_deep"),
        (nested(600), "nested_too_deep"),
        ({"a": "x" * (LARGEST_METADATA - 8)}, None),
        ({"a": "x" * (LARGEST_METADATA - 7)}, "too_large"),
        ({"a": ["\0"]}, "null_characters_not_allowed"),
        ({"a\0": 1}, "null_characters_not_allowed"),
        ({"a": "\\u0000"}, None),
        ({str(n): {} for n in range(100)}, None),
    ],
    ids=range(9),
)
def test_metadata_is_small_shallow_and_storable(metadata: dict[str, Any], code: str | None) -> None:
    assert mistakes({**GOOD, "metadata": metadata}) == ([("metadata", code)] if code else [])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"account_id": ID, "to": "x", "conversation_id": ID}, [("conversation_id", "conflicting")]),
        ({"to": "x", "conversation_id": ID}, [("conversation_id", "conflicting")]),
        ({"account_id": ID, "to": "x", "conversation_id": None}, []),
        ({"conversation_id": ID}, []),
        ({"conversation_id": ID, "to": None}, []),
        ({}, [("account_id", "required"), ("to", "required")]),
        ({"account_id": ID}, [("to", "required")]),
        ({"to": "x", "account_id": None}, [("account_id", "required")]),
    ],
)
def test_message_goes_to_an_address_or_into_a_conversation(
    target: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert mistakes({"text": "Bom dia", **target}) == expected


@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_message_is_an_object(body: object) -> None:
    assert read_message(body) == [Mistake("", "wrong_type", "This must be an object.")]


def test_everything_that_was_said_is_read() -> None:
    read = read_message(
        {
            **GOOD,
            "priority": "low",
            "expires_at": "2026-03-01T09:30:00-03:00",
            "reference": "7",
            "metadata": {"a": 1},
        }
    )
    assert isinstance(read, NewMessage)
    assert (read.text, str(read.account_id), read.to, read.priority) == ("Bom dia", ID, "+5511912345601", 0)
    assert read.expires_at == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert (read.reference, read.metadata) == ("7", {"a": 1})


def test_very_many_mistakes_are_not_all_told() -> None:
    assert len(mistakes({str(n): n for n in range(1000)})) == 20


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from([field for field, _, _ in FIELDS])


# The simulated provider of other tests draws its delays in a thread of this process.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@given(body=st.dictionaries(names | st.text(max_size=5), json, max_size=6) | json)
def test_nothing_that_json_can_say_makes_it_fail(body: object) -> None:
    assert isinstance(read_message(body), list | NewMessage)
