"""Messages over gRPC: the same rules, refusals and answers as over REST."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from apps.accounts import api_keys, organizations
from apps.accounts.models import Membership, Organization
from apps.accounts.roles import Scope
from apps.channels.errors import MessageRejected
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.messaging import conversations
from apps.messaging.consent import suppressions
from apps.messaging.engine.outcome import Result
from apps.messaging.models import ConsentSource, Message
from apps.realtime.grpc.generated import recado_pb2 as pb
from apps.realtime.grpc.generated.recado_pb2_grpc import MessagesStub
from tests.cast import Api, House, as_member, with_key
from tests.messaging import history
from tests.messaging.history import ANA
from tests.realtime.grpc_stage import GrpcServer, run_grpc_server

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"


@pytest.fixture(scope="module")
def grpc_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcServer]:
    with run_grpc_server(tmp_path_factory.mktemp("grpc")) as server:
        yield server


@pytest.fixture
def messages(grpc_server: GrpcServer) -> Iterator[MessagesStub]:
    with grpc_server.channel() as channel:
        yield MessagesStub(channel)


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return history.account_of(aurora)


def as_(api: Api, **more: str) -> Any:
    return {"metadata": (("authorization", api.credential), *more.items()), "timeout": 10}


def request(account: ChannelAccount, **values: Any) -> pb.SendRequest:
    return pb.SendRequest(**{"account_id": str(account.id), "to": ANA, "text": "Bom dia", **values})


def in_(**delta: float) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(clock.now() + timedelta(**delta))
    return moment


class Refused:
    """A call that was refused, as a program sees it."""

    def __init__(self, error: Any) -> None:
        told: dict[str, str] = dict(error.trailing_metadata() or ())
        self.status: grpc.StatusCode = error.code()
        self.detail: str = error.details() or ""
        self.code = told.get("recado-code")
        self.errors = [(each["pointer"], each["code"]) for each in json.loads(told.get("recado-errors", "[]"))]
        self.retry_after = told.get("retry-after")
        self.request_id = told.get("request-id")


def refused(method: Any, *args: Any, **kwargs: Any) -> Refused:
    with pytest.raises(grpc.RpcError) as caught:
        method(*args, **kwargs)
    return Refused(caught.value)


def test_sent_message_is_what_rest_shows(messages: MessagesStub, owner: Api, account: ChannelAccount) -> None:
    wanted = request(
        account, priority="high", reference="order 7", scheduled_at=in_(hours=1), expires_at=in_(hours=2)
    )
    wanted.metadata.update({"order": 7, "share": 0.5, "tags": ["a", None, True], "deep": {"x": "y"}})
    sent = messages.Send(wanted, **as_(owner))

    shown = owner.get(f"/v1/messages/{sent.id}").json()
    assert (sent.to, sent.channel, sent.status, sent.priority) == (ANA, "whatsapp_cloud", "queued", "high")
    assert shown["metadata"] == {"order": 7, "share": 0.5, "tags": ["a", None, True], "deep": {"x": "y"}}
    assert shown["conversation_id"] == sent.conversation_id
    assert shown["scheduled_at"] == wanted.scheduled_at.ToJsonString()
    assert sent.scheduled_at == wanted.scheduled_at
    assert messages.Get(pb.GetRequest(message_id=sent.id), **as_(owner)) == sent
    assert dict(sent.metadata)["order"] == 7
    assert not sent.HasField("error")
    assert not sent.provider_id


def test_message_goes_into_a_conversation_that_exists(messages: MessagesStub, owner: Api, aurora: House) -> None:
    conversation = history.conversation(aurora)
    wanted = pb.SendRequest(conversation_id=str(conversation.id), text="E mais")
    assert messages.Send(wanted, **as_(owner)).conversation_id == str(conversation.id)


def test_failed_message_says_why(messages: MessagesStub, owner: Api, aurora: House) -> None:
    message = history.leave(history.queued(aurora), Result.FAILED, MessageRejected("132", "no such template"))
    found = messages.Get(pb.GetRequest(message_id=str(message.id)), **as_(owner))
    assert (found.status, found.error.code) == ("failed", "132")


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"text": ""}, ("/text", "blank")),
        ({"text": "x" * 4097}, ("/text", "too_long")),
        ({"to": "11912345601"}, ("/to", "bad_address")),
        ({"to": ""}, ("/to", "required")),
        ({"conversation_id": NOWHERE}, ("/conversation_id", "conflicting")),
        ({"account_id": "seven"}, ("/account_id", "invalid")),
        ({"priority": "urgent"}, ("/priority", "invalid_choice")),
        ({"reference": "x" * 121}, ("/reference", "max_length")),
        ({"scheduled_at": Timestamp(seconds=1)}, ("/scheduled_at", "not_in_future")),
        ({"scheduled_at": Timestamp(seconds=2**60)}, ("/scheduled_at", "invalid")),
        ({"metadata": {"a": "x" * 4096}}, ("/metadata", "too_large")),
        ({"metadata": {"a": float("nan")}}, ("/metadata", "invalid")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_named(
    messages: MessagesStub, owner: Api, account: ChannelAccount, values: dict[str, Any], wrong: tuple[str, str]
) -> None:
    metadata = values.pop("metadata", None)
    wanted = request(account, **values)
    if metadata is not None:
        wanted.metadata.update(metadata)
    answer = refused(messages.Send, wanted, **as_(owner))
    assert (answer.status, answer.code) == (grpc.StatusCode.INVALID_ARGUMENT, "invalid")
    assert answer.errors == [wrong]
    assert not Message.across_organizations.exists()


def test_other_organizations_things_are_not_found(
    messages: MessagesStub, owner: Api, aurora: House, boreal: House
) -> None:
    theirs = history.queued(boreal)
    answer = refused(messages.Get, pb.GetRequest(message_id=str(theirs.id)), **as_(owner))
    assert (answer.status, answer.code) == (grpc.StatusCode.NOT_FOUND, "not_found")
    for nowhere in (NOWHERE, "seven", ""):
        answer = refused(messages.Get, pb.GetRequest(message_id=nowhere), **as_(owner))
        assert answer.status == grpc.StatusCode.NOT_FOUND

    answer = refused(messages.Send, request(theirs.account), **as_(owner))
    assert (answer.status, answer.errors) == (grpc.StatusCode.NOT_FOUND, [("/account_id", "unknown_account")])
    wanted = pb.SendRequest(conversation_id=str(theirs.conversation_id), text="x")
    answer = refused(messages.Send, wanted, **as_(owner))
    assert answer.status == grpc.StatusCode.NOT_FOUND
    assert answer.errors == [("/conversation_id", "unknown_conversation")]
    assert Message.across_organizations.count() == 1


def test_refusals_of_state_have_their_own_status(messages: MessagesStub, owner: Api, aurora: House) -> None:
    conversation = conversations.close(aurora.principal(), history.conversation(aurora))
    wanted = pb.SendRequest(conversation_id=str(conversation.id), text="x")
    answer = refused(messages.Send, wanted, **as_(owner))
    assert (answer.status, answer.code) == (grpc.StatusCode.FAILED_PRECONDITION, "conversation_closed")
    assert answer.detail
    assert answer.request_id

    suppressions.add(aurora.organization.id, "phone", [ANA], ConsentSource.API)
    answer = refused(messages.Send, request(conversation.account), **as_(owner))
    assert (answer.status, answer.code) == (grpc.StatusCode.FAILED_PRECONDITION, "opted_out")


def test_exhausted_quota_says_when_to_come_back(messages: MessagesStub, owner: Api, aurora: House) -> None:
    account = history.account_of(aurora)
    ChannelAccount.across_organizations.filter(pk=account.pk).update(daily_quota=1)
    messages.Send(request(account), **as_(owner))
    answer = refused(messages.Send, request(account), **as_(owner))
    assert (answer.status, answer.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "quota_exhausted")
    assert int(answer.retry_after or 0) > 0


def test_refusal_speaks_the_language_of_the_caller(
    messages: MessagesStub, owner: Api, account: ChannelAccount
) -> None:
    in_portuguese = as_(owner, **{"accept-language": "pt-BR,pt;q=0.9"})
    answer = refused(messages.Send, request(account, text=""), **in_portuguese)
    assert "campos" in answer.detail


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        ("", "not_authenticated"),
        ("Basic b3duZXI6cGFzcw==", "not_authenticated"),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", "invalid_token"),
        ("Bearer ", "invalid_token"),
        ("Api-Key rk_abcdefghijkm_secret", "invalid_api_key"),
        ("Api-Key " + "x" * 5000, "invalid_api_key"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_nobody_sends_without_a_credential(
    messages: MessagesStub, account: ChannelAccount, credential: str, code: str
) -> None:
    answer = refused(messages.Send, request(account), **as_(Api(credential)))
    assert (answer.status, answer.code) == (grpc.StatusCode.UNAUTHENTICATED, code)
    assert not Message.across_organizations.exists()


def test_revoked_key_and_a_member_who_left_are_refused(
    messages: MessagesStub, aurora: House, account: ChannelAccount
) -> None:
    key, text = api_keys.issue(aurora.principal(), name="Test", scopes=[Scope.MESSAGES_WRITE])
    agent = as_member(aurora.agent)
    messages.Send(request(account), **as_(Api(f"Api-Key {text}")))
    messages.Send(request(account), **as_(agent))
    api_keys.revoke(aurora.principal(), key)
    Membership.across_organizations.filter(pk=aurora.agent.pk).delete()
    assert refused(messages.Send, request(account), **as_(Api(f"Api-Key {text}"))).code == "invalid_api_key"
    assert refused(messages.Send, request(account), **as_(agent)).code == "invalid_token"


def test_each_method_needs_its_scope(messages: MessagesStub, aurora: House, account: ChannelAccount) -> None:
    reads, writes = (with_key(aurora.organization, each) for each in (Scope.MESSAGES_READ, Scope.MESSAGES_WRITE))
    answer = refused(messages.Send, request(account), **as_(reads))
    assert (answer.status, answer.code) == (grpc.StatusCode.PERMISSION_DENIED, "missing_scope")
    sent = messages.Send(request(account), **as_(writes))
    answer = refused(messages.Get, pb.GetRequest(message_id=sent.id), **as_(writes))
    assert (answer.status, answer.code) == (grpc.StatusCode.PERMISSION_DENIED, "missing_scope")
    assert messages.Get(pb.GetRequest(message_id=sent.id), **as_(reads)).id == sent.id


def test_repeated_request_sends_once(messages: MessagesStub, owner: Api, account: ChannelAccount) -> None:
    wanted = request(account, idempotency_key=str(new_id()))
    first = messages.Send(wanted, **as_(owner))
    second, call = messages.Send.with_call(wanted, **as_(owner))
    assert second == first
    assert dict(call.trailing_metadata() or ())["idempotency-replayed"] == "true"
    assert Message.across_organizations.count() == 1

    answer = refused(
        messages.Send, request(account, text="Other", idempotency_key=wanted.idempotency_key), **as_(owner)
    )
    assert (answer.status, answer.code) == (grpc.StatusCode.INVALID_ARGUMENT, "idempotency_key_reused")
    answer = refused(messages.Send, request(account, idempotency_key="ü"), **as_(owner))
    assert answer.code == "bad_idempotency_key"


def test_request_that_went_over_rest_first_is_recognized(
    messages: MessagesStub, owner: Api, account: ChannelAccount
) -> None:
    body = {"account_id": str(account.id), "to": ANA, "text": "Bom dia", "metadata": {"order": 7}}
    first = owner.post("/v1/messages", body, Idempotency_Key="order-7").json()
    wanted = request(account, idempotency_key="order-7")
    wanted.metadata.update({"order": 7})
    assert messages.Send(wanted, **as_(owner)).id == first["id"]
    assert Message.across_organizations.count() == 1


def test_caller_is_limited_as_over_rest(aurora: House, account: ChannelAccount, slow_server: GrpcServer) -> None:
    api = with_key(aurora.organization)
    with slow_server.channel() as channel:
        stub = MessagesStub(channel)
        statuses = [refused(stub.Get, pb.GetRequest(message_id=NOWHERE), **as_(api)).status for _ in range(3)]
        answer = refused(stub.Get, pb.GetRequest(message_id=NOWHERE), **as_(api))
        assert statuses == [grpc.StatusCode.NOT_FOUND] * 3
        assert (answer.status, answer.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "too_many_requests")
        assert int(answer.retry_after or 0) > 0
        # Guessing is counted too, by where it comes from.
        guesses = [refused(stub.Get, pb.GetRequest(), **as_(Api("Bearer guess"))).code for _ in range(4)]
        assert guesses == ["invalid_token"] * 3 + ["too_many_requests"]


@pytest.fixture
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcServer]:
    folder = tmp_path_factory.mktemp("slow")
    with run_grpc_server(folder, API_RATE_PER_SECOND="1", API_BURST="3") as server:
        yield server


def test_logs_name_the_caller_and_keep_the_secrets(
    grpc_server: GrpcServer, messages: MessagesStub, owner: Api, aurora: House, account: ChannelAccount
) -> None:
    messages.Send(request(account, text="Segredo da receita"), **as_(owner))
    lines = [json.loads(line) for line in grpc_server.process.log.read_text().splitlines()]
    mine = [line for line in lines if line.get("organization_id") == str(aurora.organization.id)]
    assert mine[-1]["event"] == "call_finished"
    assert mine[-1]["method"] == "Messages.Send"
    assert mine[-1]["actor"] == f"user:{aurora.owner.user_id}"
    text = grpc_server.process.log.read_text()
    assert "Segredo" not in text
    assert owner.credential.removeprefix("Bearer ") not in text


def test_suspended_organization_reads_and_sends_nothing(
    messages: MessagesStub, aurora: House, account: ChannelAccount
) -> None:
    api = with_key(aurora.organization)
    sent = messages.Send(request(account), **as_(api))
    organizations.suspend(aurora.principal().actor, aurora.organization, reason="x")
    answer = refused(messages.Send, request(account), **as_(api))
    assert (answer.status, answer.code) == (grpc.StatusCode.PERMISSION_DENIED, "organization_suspended")
    assert messages.Get(pb.GetRequest(message_id=sent.id), **as_(api)).id == sent.id


def test_month_that_is_used_up_is_exhausted(
    messages: MessagesStub, aurora: House, account: ChannelAccount
) -> None:
    Organization.objects.filter(pk=aurora.organization.pk).update(quota_reached_at=clock.now())
    answer = refused(messages.Send, request(account), **as_(with_key(aurora.organization)))
    assert (answer.status, answer.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "monthly_quota_exhausted")
