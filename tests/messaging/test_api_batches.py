"""Many messages in one request: what is wrong with one keeps no other from being accepted."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.messaging import conversations
from apps.messaging.models import Message
from tests.cast import Api, House
from tests.messaging import history
from tests.messaging.history import ANA
from tests.server import Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return history.account_of(aurora)


def batch(account: ChannelAccount, count: int, **values: Any) -> list[dict[str, Any]]:
    return [
        {"account_id": str(account.id), "to": f"+55119{number:08d}", "text": f"Number {number}", **values}
        for number in range(count)
    ]


def send(owner: Api, messages: Any, **headers: str) -> Any:
    return owner.post("/v1/messages/batch", {"messages": messages}, **headers)


def test_all_are_accepted_in_their_order(owner: Api, account: ChannelAccount) -> None:
    answer = send(owner, batch(account, 3))
    assert answer.status_code == 202
    assert answer.json()["refused"] == []
    stored = Message.across_organizations.order_by("id")
    assert answer.json()["accepted"] == [
        {"index": index, "id": str(message.id), "conversation_id": str(message.conversation_id)}
        for index, message in enumerate(stored)
    ]
    assert [message.text for message in stored] == ["Number 0", "Number 1", "Number 2"]


def test_three_of_a_thousand_are_wrong_and_named(owner: Api, account: ChannelAccount) -> None:
    messages = batch(account, 1000)
    messages[7]["text"] = ""
    messages[500]["to"] = "nobody"
    messages[999] |= {"colour": "red", "priority": "urgent"}
    answer = send(owner, messages)
    assert answer.status_code == 202
    body = answer.json()
    assert len(body["accepted"]) == Message.across_organizations.count() == 997
    named = [
        (each["index"], [(error["pointer"], error["code"]) for error in each["errors"]])
        for each in body["refused"]
    ]
    assert named == [
        (7, [("/messages/7/text", "blank")]),
        (500, [("/messages/500/to", "bad_address")]),
        (999, [("/messages/999/colour", "unknown_field"), ("/messages/999/priority", "invalid_choice")]),
    ]
    assert all(error["detail"] for each in body["refused"] for error in each["errors"])


def test_refusals_of_every_kind_stand_beside_each_other(owner: Api, aurora: House, boreal: House) -> None:
    closed = conversations.close(aurora.principal(), history.conversation(aurora))
    theirs = history.conversation(boreal)
    account = history.account_of(aurora)
    answer = send(
        owner,
        [
            7,
            {"conversation_id": str(closed.id), "text": "x"},
            {"conversation_id": str(theirs.id), "text": "x"},
            {"account_id": str(theirs.account_id), "to": ANA, "text": "x"},
            {"account_id": str(account.id), "to": ANA, "conversation_id": str(closed.id), "text": "x"},
            {"account_id": str(account.id), "to": ANA, "text": "x" * 4097},
            {"account_id": str(account.id), "to": ANA, "text": "x", "scheduled_at": "2020-01-01T00:00:00Z"},
        ],
    )
    assert answer.status_code == 202
    assert answer.json()["accepted"] == []
    errors = [(each["index"], each["errors"][0]["pointer"], each["errors"][0]["code"]) for each in
              answer.json()["refused"]]  # fmt: skip
    assert errors == [
        (0, "/messages/0", "wrong_type"),
        (1, "/messages/1/conversation_id", "conversation_closed"),
        (2, "/messages/2/conversation_id", "unknown_conversation"),
        (3, "/messages/3/account_id", "unknown_account"),
        (4, "/messages/4/conversation_id", "conflicting"),
        (5, "/messages/5/text", "too_long"),
        (6, "/messages/6/scheduled_at", "not_in_future"),
    ]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ([], "", "wrong_type"),
        ({}, "/messages", "required"),
        ({"messages": {}}, "/messages", "wrong_type"),
        ({"messages": None}, "/messages", "wrong_type"),
        ({"messages": []}, "/messages", "min_length"),
        ({"messages": [{}] * 1001}, "/messages", "max_length"),
        ({"messages": [{}], "dry": True}, "/dry", "unknown_field"),
    ],
    ids=range(7),
)
def test_batch_that_is_none_is_refused_whole(owner: Api, body: Any, pointer: str, code: str) -> None:
    answer = owner.post("/v1/messages/batch", body)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


def test_quota_takes_the_first_and_says_when_the_others_may_come(
    owner: Api, aurora: House, account: ChannelAccount
) -> None:
    accounts.change(aurora.principal(), account, daily_quota=2)
    answer = send(owner, batch(account, 5))
    assert answer.status_code == 202
    assert [each["index"] for each in answer.json()["accepted"]] == [0, 1]
    codes = {error["code"] for each in answer.json()["refused"] for error in each["errors"]}
    assert codes == {"quota_exhausted"}
    assert 0 < int(answer["Retry-After"]) <= 24 * 3600
    all_refused = send(owner, batch(account, 5))
    assert (all_refused.status_code, all_refused.json()["accepted"]) == (202, [])
    assert "Retry-After" in all_refused


def test_repeated_batch_sends_once(owner: Api, account: ChannelAccount) -> None:
    first = send(owner, batch(account, 3), Idempotency_Key="7")
    second = send(owner, batch(account, 3), Idempotency_Key="7")
    assert second.json() == first.json()
    assert Message.across_organizations.count() == 3


def test_thousand_messages_cost_as_many_statements_as_ten(owner: Api, account: ChannelAccount) -> None:
    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert len(send(owner, batch(account, count)).json()["accepted"]) == count
        return len(queries)

    opening = [statements(10), statements(20), statements(1000)]
    assert opening[0] == opening[1] == opening[2]
    assert statements(10) == statements(1000) < opening[0]


@pytest.mark.django_db(transaction=True)
def test_thousand_long_messages_fit_in_one_request(server: Server, owner: Api, aurora: House) -> None:
    account = history.account_of(aurora)
    messages = batch(account, 1000, metadata={"note": "x" * 2000})
    for message in messages:
        message["text"] = "ã" + "a" * 4095
    with server.client(owner.credential) as client:
        answer = client.post("/v1/messages/batch", json={"messages": messages})
        assert answer.status_code == 202
        assert len(answer.json()["accepted"]) == 1000
        assert client.post("/v1/messages", json={"text": "x" * 3_000_000}).status_code == 413
        assert client.post("/v1/messages/batch", json={"text": "x" * 9_000_000}).status_code == 413
