"""Sending one message over the API, finding it, following it and taking it back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.roles import Scope
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging import conversations
from apps.messaging.api.readers import MessageReader
from apps.messaging.consent import suppressions
from apps.messaging.engine.claim import claim
from apps.messaging.models import ConsentSource, Message
from tests.cast import Api, House, with_key
from tests.messaging import history
from tests.messaging.history import ANA, BIA

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return history.account_of(aurora)


def in_(**delta: float) -> str:
    return (clock.now() + timedelta(**delta)).isoformat()


def first_error(answer: Any) -> tuple[str, str]:
    (error,) = answer.json()["errors"]
    return error["pointer"], error["code"]


def send(owner: Api, account: ChannelAccount, **values: Any) -> Any:
    body = {"account_id": str(account.id), "to": ANA, "text": "Bom dia", **values}
    return owner.post("/v1/messages", {name: value for name, value in body.items() if value is not ...})


def test_accepted_message_is_what_is_read_later(owner: Api, account: ChannelAccount) -> None:
    answer = send(
        owner,
        account,
        to="+55 (11) 91234-5601",
        priority="high",
        reference="order 7",
        metadata={"order": 7},
        scheduled_at=in_(hours=1),
        expires_at=in_(hours=2),
    )
    assert answer.status_code == 202
    message = answer.json()
    assert message | {"to": ANA, "channel": "whatsapp_cloud", "status": "queued", "priority": "high"} == message
    assert message | {"reference": "order 7", "metadata": {"order": 7}, "error": None} == message
    assert owner.get(f"/v1/messages/{message['id']}").json() == message
    assert owner.get("/v1/messages").json()["data"] == [message]


def test_message_goes_into_a_conversation_that_exists(owner: Api, aurora: House) -> None:
    conversation = history.conversation(aurora)
    answer = owner.post("/v1/messages", {"conversation_id": str(conversation.id), "text": "E mais"})
    assert answer.status_code == 202
    assert (answer.json()["to"], answer.json()["conversation_id"]) == (ANA, str(conversation.id))


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"account_id": "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"}, "/account_id", "unknown_account"),
        ({"conversation_id": "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"}, "/conversation_id", "conflicting"),
        (
            {"account_id": ..., "to": ..., "conversation_id": "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"},
            "/conversation_id",
            "unknown_conversation",
        ),
        ({"to": ...}, "/to", "required"),
        ({"to": "11912345601"}, "/to", "bad_address"),
        ({"to": "+55"}, "/to", "bad_address"),
        ({"to": ""}, "/to", "bad_address"),
        ({"text": ""}, "/text", "blank"),
        ({"text": "x" * 4097}, "/text", "too_long"),
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, "/scheduled_at", "not_in_future"),
        ({"scheduled_at": "2999-01-01T00:00:00Z"}, "/scheduled_at", "not_in_future"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "bad_expiry"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "/expires_at", "bad_expiry"),
        ({"reference": "x" * 121}, "/reference", "max_length"),
        ({"metadata": {"a": "x" * 4096}}, "/metadata", "too_large"),
        ({"colour": "red"}, "/colour", "unknown_field"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_named(
    owner: Api, account: ChannelAccount, values: dict[str, Any], pointer: str, code: str
) -> None:
    answer = send(owner, account, **values)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert first_error(answer) == (pointer, code)
    assert not Message.across_organizations.exists()


def test_whole_body_that_is_wrong_is_named(owner: Api) -> None:
    bodies: list[Any] = [[], "text", 7]
    for body in bodies:
        assert first_error(owner.post("/v1/messages", body)) == ("", "wrong_type")
    missing = [error["pointer"] for error in owner.post("/v1/messages", None).json()["errors"]]
    assert missing == ["/text", "/account_id", "/to"]


def test_other_organizations_account_and_conversation_are_unknown(
    owner: Api, aurora: House, boreal: House
) -> None:
    theirs = history.conversation(boreal)
    answer = owner.post("/v1/messages", {"account_id": str(theirs.account_id), "to": ANA, "text": "x"})
    assert first_error(answer) == ("/account_id", "unknown_account")
    answer = owner.post("/v1/messages", {"conversation_id": str(theirs.id), "text": "x"})
    assert first_error(answer) == ("/conversation_id", "unknown_conversation")
    assert Message.across_organizations.count() == 1


def test_closed_conversation_takes_nothing_until_it_is_open_again(owner: Api, aurora: House) -> None:
    conversation = conversations.close(aurora.principal(), history.conversation(aurora))
    body = {"conversation_id": str(conversation.id), "text": "x"}
    answer = owner.post("/v1/messages", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conversation_closed")
    assert owner.post(f"/v1/conversations/{conversation.id}/reopen").status_code == 200
    assert owner.post("/v1/messages", body).status_code == 202


def test_person_who_opted_out_is_not_written_to(owner: Api, aurora: House, account: ChannelAccount) -> None:
    history.queued(aurora)
    suppressions.add(aurora.organization.id, "phone", [ANA], ConsentSource.API)
    answer = send(owner, account)
    assert (answer.status_code, answer.json()["code"]) == (409, "opted_out")


def test_exhausted_quota_says_when_to_come_back(owner: Api, aurora: House, account: ChannelAccount) -> None:
    accounts.change(aurora.principal(), account, daily_quota=1)
    assert send(owner, account).status_code == 202
    answer = send(owner, account)
    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exhausted")
    assert 0 < int(answer["Retry-After"]) <= 24 * 3600
    assert Message.across_organizations.count() == 1


def test_repeated_request_sends_once(owner: Api, account: ChannelAccount) -> None:
    body = {"account_id": str(account.id), "to": ANA, "text": "Bom dia"}
    first = owner.post("/v1/messages", body, Idempotency_Key="7")
    second = owner.post("/v1/messages", body, Idempotency_Key="7")
    assert second.json() == first.json()
    assert second["Idempotency-Replayed"] == "true"
    assert Message.across_organizations.count() == 1


def test_refused_message_may_be_sent_again_with_its_key(owner: Api, aurora: House) -> None:
    conversation = conversations.close(aurora.principal(), history.conversation(aurora))
    body = {"conversation_id": str(conversation.id), "text": "x"}
    assert owner.post("/v1/messages", body, Idempotency_Key="7").status_code == 409
    conversations.reopen(aurora.principal(), conversation)
    assert owner.post("/v1/messages", body, Idempotency_Key="7").status_code == 202


def test_caller_who_may_only_read_sends_nothing(aurora: House, account: ChannelAccount) -> None:
    assert send(with_key(aurora.organization, Scope.MESSAGES_READ), account).status_code == 403


def found(owner: Api, query: str = "") -> list[str]:
    answer = owner.get(f"/v1/messages?{query}")
    assert answer.status_code == 200, answer.content
    return [message["id"] for message in answer.json()["data"]]


@pytest.fixture
def mixed(aurora: House, boreal: House) -> dict[str, Message]:
    history.queued(boreal)
    return {
        "sent": history.sent(aurora),
        "dead": history.dead(aurora).message,
        "named": history.queued(aurora, reference="order 7"),
        "instagram": history.queued(aurora, to="1784140000", connector="instagram"),
    }


FILTERS: list[tuple[str, list[str]]] = [
    ("", ["instagram", "named", "dead", "sent"]),
    ("status=sent", ["sent"]),
    ("status=failed", ["dead"]),
    ("status=queued", ["instagram", "named"]),
    ("status=sending", []),
    ("status=cancelled", []),
    ("channel=instagram", ["instagram"]),
    ("channel=instagram&status=queued", ["instagram"]),
    ("channel=whatsapp_cloud&status=queued", ["named"]),
    ("channel=instagram&status=failed", []),
    ("reference=order 7", ["named"]),
    ("reference=order 7&status=queued", ["named"]),
    ("reference=order 7&status=sent", []),
    ("reference=order 8", []),
    ("account_id={account}", ["named", "dead", "sent"]),
    ("account_id={account}&status=failed", ["dead"]),
    ("account_id={account}&status=queued", ["named"]),
    ("conversation_id={conversation}", ["named", "sent"]),
    ("conversation_id={conversation}&status=queued", ["named"]),
    ("conversation_id={conversation}&channel=instagram", []),
    ("error_class=message_rejected", ["dead"]),
    ("error_class=message_rejected&status=failed", ["dead"]),
    ("error_class=message_rejected&status=queued", []),
    ("error_code=131047&channel=whatsapp_cloud", ["dead"]),
    ("error_code=131047&channel=instagram", []),
    ("error_code=1", []),
    ("template_id={account}", []),
    ("created_after={past}", ["instagram", "named", "dead", "sent"]),
    ("created_after={future}", []),
    ("created_before={past}", []),
    ("created_before={future}&status=sent", ["sent"]),
    ("created_before={future}&created_after={past}&status=queued", ["instagram", "named"]),
    (
        "created_after=0001-01-01T00:00:00Z&created_before=9999-12-31T23:59:59Z",
        ["instagram", "named", "dead", "sent"],
    ),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_filters_find_what_they_say(
    owner: Api, mixed: dict[str, Message], query: str, expected: list[str]
) -> None:
    named = query.format(
        account=mixed["sent"].account_id,
        conversation=mixed["sent"].conversation_id,
        past=in_(minutes=-1).replace("+", "%2B"),
        future=in_(minutes=1).replace("+", "%2B"),
    )
    ids = found(owner, named)
    assert [name for name, message in mixed.items() if str(message.id) in ids] == expected[::-1]
    assert ids == sorted(ids, reverse=True)


def test_created_at_is_the_edge_of_its_filters(owner: Api, aurora: House) -> None:
    message = history.queued(aurora)
    moment = message.created_at.isoformat().replace("+", "%2B")
    assert found(owner, f"created_after={moment}") == [str(message.id)]
    assert found(owner, f"created_before={moment}") == []


@pytest.mark.parametrize(
    "query",
    ["status=lost", "channel=pigeon", "account_id=x", "created_after=yesterday", "reference=%00", "statis=sent",
     "created_before=", "conversation_id=", "limit=0", "cursor=x"],
)  # fmt: skip
def test_filter_that_makes_no_sense_is_refused_by_name(owner: Api, query: str) -> None:
    answer = owner.get(f"/v1/messages?{query}")
    assert answer.status_code == 400
    assert first_error(answer)[0] == f"/{query.partition('=')[0]}"


def test_list_costs_the_same_for_one_message_and_for_many(owner: Api, aurora: House) -> None:
    history.queued(aurora)
    for query in ("", "status=queued", "status=sent"):
        with CaptureQueriesContext(connection) as few:
            found(owner, query)
        for number in range(5):
            history.queued(aurora, to=f"+55119123460{number:02d}")
        with CaptureQueriesContext(connection) as many:
            found(owner, query)
        assert len(many) == len(few)


def test_events_tell_the_story(owner: Api, aurora: House) -> None:
    letter = history.dead(aurora)
    answer = owner.get(f"/v1/messages/{letter.message_id}/events").json()
    assert [event["kind"] for event in answer["data"]] == ["failed", "sending", "queued"]
    assert answer["data"][0]["detail"] == {
        "ms": 12, "error": "message_rejected", "code": "131047", "detail": "more than a day since they wrote",
    }  # fmt: skip
    first = owner.get(f"/v1/messages/{letter.message_id}/events?limit=2").json()
    rest = owner.get(first["next"].removeprefix("http://testserver")).json()
    assert [event["kind"] for event in first["data"] + rest["data"]] == ["failed", "sending", "queued"]
    assert (first["previous"], rest["next"]) == (None, None)
    for cursor in ("bw", "bwAAAAAAAAAAAAAAAAAAAAA", "b_____________"):
        assert owner.get(f"/v1/messages/{letter.message_id}/events?cursor={cursor}").status_code == 400


def test_cancelled_message_stays_cancelled(owner: Api, aurora: House) -> None:
    message = history.queued(aurora)
    for _ in range(2):
        answer = owner.post(f"/v1/messages/{message.id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert not claim(message.account, 10).deliveries


def test_what_left_cannot_be_cancelled(owner: Api, aurora: House) -> None:
    gone, failed = history.sent(aurora), history.dead(aurora).message
    leaving = history.queued(aurora)
    claim(leaving.account, 10)
    for message in (gone, failed, leaving):
        answer = owner.post(f"/v1/messages/{message.id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (409, "too_late")
    assert found(owner, "status=sent") == [str(gone.id)]


def test_new_person_and_known_person_get_their_own_conversations(owner: Api, account: ChannelAccount) -> None:
    ana, again, bia = (send(owner, account, to=to).json()["conversation_id"] for to in (ANA, ANA, BIA))
    assert ana == again != bia


def test_what_is_shown_of_a_message_is_what_the_schema_describes(owner: Api, account: ChannelAccount) -> None:
    shown = send(owner, account).json()
    assert list(shown) == MessageReader.Meta.fields
    assert shown["created_at"].endswith("Z")
