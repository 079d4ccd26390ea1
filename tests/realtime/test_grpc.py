"""Events over gRPC: once, in order, only one's own; and a stream that ends says whether to come back."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import grpc
import jwt
import pytest
from django.conf import settings
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.json_format import MessageToDict
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from apps.accounts import api_keys, sessions
from apps.accounts.roles import Scope
from apps.accounts.tokens import read_access_token
from apps.core import clock
from apps.core.redis import redis_client
from apps.realtime.grpc.generated import recado_pb2 as pb
from apps.realtime.grpc.generated.recado_pb2_grpc import EventsStub
from tests.cast import House, with_key
from tests.messaging import history
from tests.realtime.grpc_stage import GrpcServer, grpc_server, run_grpc_server
from tests.realtime.tape import Tape

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent
NOWHERE = "0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"
SECONDS = 15


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcServer]:
    with run_grpc_server(tmp_path_factory.mktemp("grpc")) as running:
        yield running


@pytest.fixture
def events(server: GrpcServer) -> Iterator[EventsStub]:
    with server.channel() as channel:
        yield EventsStub(channel)


@pytest.fixture
def ana(aurora: House) -> UUID:
    return history.queued(aurora, to=history.ANA).conversation_id


@pytest.fixture
def bia(aurora: House) -> UUID:
    return history.queued(aurora, to=history.BIA).conversation_id


class Stream:
    """A client that follows. What it was told so far is in `seen`."""

    def __init__(self, events: EventsStub, credential: str, *conversation_ids: object, **asked: Any) -> None:
        request = pb.SubscribeRequest(conversation_ids=map(str, conversation_ids), **asked)
        self.call = events.Subscribe(request, metadata=(("authorization", credential),), timeout=SECONDS)
        self.seen: list[pb.Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.call.cancel()

    def next(self, count: int = 1) -> list[pb.Event]:
        taken = [next(self.call) for _ in range(count)]
        self.seen += taken
        return taken

    def begin(self, topics: int = 1) -> "Stream":
        """Past `connected` and the answer to each thing that was asked for."""
        assert [event.WhichOneof("kind") for event in self.next(1 + topics)] == [
            "connected",
            *["subscribed"] * topics,
        ]
        return self

    def numbers(self, count: int) -> list[int]:
        return [event.status.event_id for event in self.next(count)]

    def end(self) -> tuple[grpc.StatusCode, str | None]:
        """How it was ended, once it is."""
        with suppress(grpc.RpcError):
            while True:
                self.next()
        told: dict[str, Any] = dict(self.call.trailing_metadata() or ())
        return self.call.code(), told.get("recado-code")


def test_events_come_in_order_with_all_they_say(
    events: EventsStub, aurora: House, token: str, ana: UUID, tape: Tape
) -> None:
    with Stream(events, token, ana) as stream:
        connected, subscribed = stream.next(2)
        assert connected.connected.user_id == str(aurora.agent.user_id)
        assert connected.connected.organization_id == str(aurora.organization.id)
        assert connected.connected.expires_at.ToDatetime(clock.now().tzinfo) > clock.now()
        assert len(connected.connected.epoch) == 8
        assert (subscribed.subscribed.conversation_id, subscribed.subscribed.recovered) == (str(ana), False)
        assert subscribed.offset

        numbers = tape.play(aurora.organization, ana, "queued", "sending", "sent", attempt=2)
        first, *_rest = stream.next(3)
        assert [event.status.event_id for event in stream.seen[2:]] == numbers
        assert [event.status.status for event in stream.seen[2:]] == ["queued", "sending", "sent"]
        assert (first.status.conversation_id, first.status.kind, first.status.attempt) == (str(ana), "queued", 2)
        assert first.status.organization_id == str(aurora.organization.id)
        assert abs(first.status.at.ToDatetime(clock.now().tzinfo) - clock.now()) < timedelta(minutes=1)
        assert len({event.offset for event in stream.seen[2:]}) == 3


def test_inbound_message_keeps_what_the_contract_has_no_field_for(
    events: EventsStub, aurora: House, token: str, ana: UUID, tape: Tape
) -> None:
    with Stream(events, token, ana) as stream:
        stream.begin()
        tape.play(aurora.organization, ana, type="message", sender={"name": "Ana"}, number=7)
        (event,) = stream.next()
        assert event.message.conversation_id == str(ana)
        assert MessageToDict(event.message.details) == {
            "sender": {"name": "Ana"}, "number": 7, "attempt": 1, "kind": "sent", "status": "sent",
        }  # fmt: skip
        tape.play(aurora.organization, ana, type="of_tomorrow")
        (event,) = stream.next()
        assert event.WhichOneof("kind") is None
        assert event.offset


def test_stream_holds_only_what_was_asked_for(
    events: EventsStub, aurora: House, ana: UUID, bia: UUID, tape: Tape
) -> None:
    key = with_key(aurora.organization).credential
    with Stream(events, key, ana) as one, Stream(events, key, organization=True) as whole:
        one.begin()
        whole.begin()
        tape.play(aurora.organization, bia)
        (expected,) = tape.play(aurora.organization, ana)
        assert one.numbers(1) == [expected]
        assert [event.status.conversation_id for event in whole.next(2)] == [str(bia), str(ana)]
        assert whole.seen[1].subscribed.organization is True


def test_client_that_comes_back_misses_nothing_and_gets_nothing_twice(
    events: EventsStub, aurora: House, ana: UUID, bia: UUID, tape: Tape
) -> None:
    token = with_key(aurora.organization).credential
    with Stream(events, token, ana, bia) as stream:
        stream.begin(2)
        tape.play(aurora.organization, ana, "queued", "sending")
        since = stream.next(1)[0].offset  # cut off within an entry
    missed = [tape.play(aurora.organization, each)[0] for each in (bia, ana, bia)]
    with Stream(events, token, ana, bia, since=since) as stream:
        stream.begin(2)
        assert [event.subscribed.recovered for event in stream.seen[1:]] == [True, True]
        assert stream.numbers(4) == [2, *missed]
        assert [event.offset for event in stream.seen[3:]] == sorted(event.offset for event in stream.seen[3:])


def test_offset_of_one_conversation_says_how_far_all_have_come(
    events: EventsStub, aurora: House, token: str, tape: Tape
) -> None:
    """However many there are, what is new in one never comes before what was missed in another."""
    conversations = [history.queued(aurora, to=f"+55119{n:08}").conversation_id for n in range(40)]
    with Stream(events, token, conversations[0]) as stream:
        since = stream.begin().seen[-1].offset
    expected = [tape.play(aurora.organization, each)[0] for each in conversations * 5]
    stop = threading.Event()

    def keep_playing() -> None:
        while not stop.is_set():
            tape.play(aurora.organization, conversations[0])

    noise = threading.Thread(target=keep_playing)
    noise.start()
    try:
        with Stream(events, token, *reversed(conversations), since=since) as stream:
            stream.begin(len(conversations))
            assert stream.numbers(len(expected)) == expected
    finally:
        stop.set()
        noise.join()


def test_offset_that_is_gone_is_a_gap(
    events: EventsStub, aurora: House, token: str, ana: UUID, tape: Tape
) -> None:
    with Stream(events, token, ana) as stream:
        since = stream.begin().seen[-1].offset
        redis_client().flushdb()
        (gap,) = stream.next()
        assert gap.gap.conversation_id == str(ana)
        (number,) = Tape().play(aurora.organization, ana)
        assert stream.numbers(1) == [number]
    with Stream(events, token, organization=True, since=since) as stream:
        _connected, subscribed, gap = stream.next(3)
        assert (subscribed.subscribed.organization, subscribed.subscribed.recovered) == (True, False)
        assert gap.gap.organization is True
        assert gap.offset


def test_other_organizations_conversations_are_not_found(
    events: EventsStub, aurora: House, boreal: House, ana: UUID, tape: Tape
) -> None:
    token = with_key(aurora.organization).credential
    theirs = history.queued(boreal).conversation_id
    for wanted in ((theirs,), (ana, theirs), (NOWHERE,)):
        assert Stream(events, token, *wanted).end() == (grpc.StatusCode.NOT_FOUND, "not_found")
    with Stream(events, token, organization=True) as stream:
        stream.begin()
        Tape().play(boreal.organization, theirs)
        redis_client().delete("recado:events:position")
        (number,) = tape.play(aurora.organization, ana)
        assert stream.numbers(1) == [number]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "invalid"),
        ({"conversation_ids": ["seven"]}, "invalid"),
        ({"conversation_ids": [NOWHERE] * 1001}, "invalid"),
        ({"organization": True, "since": "yesterday"}, "bad_offset"),
    ],
    ids=["nothing", "no id", "too many", "bad offset"],
)
def test_what_is_wrong_is_named(events: EventsStub, token: str, asked: dict[str, Any], code: str) -> None:
    stream = Stream(events, token, *asked.pop("conversation_ids", ()), **asked)
    assert stream.end() == (grpc.StatusCode.INVALID_ARGUMENT, code)


def test_nobody_follows_without_a_credential(events: EventsStub, aurora: House, ana: UUID) -> None:
    tokens = {
        "forged": jwt.encode({"user_id": "x"}, "0" * 64, "HS256", headers={"kid": "test"}),
        "of another key": jwt.encode({"aud": "recado"}, "1" * 64, "HS256", headers={"kid": "test"}),
        "garbage": "garbage",
        "expired": _token(aurora, expires_in=-1),
    }
    for bad in tokens.values():
        assert Stream(events, f"Bearer {bad}", ana).end() == (grpc.StatusCode.UNAUTHENTICATED, "invalid_token")
    assert Stream(events, "", ana).end() == (grpc.StatusCode.UNAUTHENTICATED, "not_authenticated")
    key = "Api-Key rk_abcdefghijkm_secret"
    assert Stream(events, key, ana).end() == (grpc.StatusCode.UNAUTHENTICATED, "invalid_api_key")


def test_key_without_the_scope_follows_nothing(events: EventsStub, aurora: House, ana: UUID) -> None:
    key = with_key(aurora.organization, Scope.MESSAGES_WRITE).credential
    assert Stream(events, key, ana).end() == (grpc.StatusCode.PERMISSION_DENIED, "missing_scope")


def test_stream_ends_when_its_token_expires(events: EventsStub, aurora: House, ana: UUID) -> None:
    with Stream(events, f"Bearer {_token(aurora, expires_in=2)}", ana) as stream:
        stream.begin()
        assert stream.end() == (grpc.StatusCode.UNAUTHENTICATED, "invalid_token")


def test_stream_ends_when_its_key_is_revoked(events: EventsStub, aurora: House, ana: UUID) -> None:
    key, text = api_keys.issue(aurora.principal(), name="Test", scopes=[Scope.MESSAGES_READ])
    with Stream(events, f"Api-Key {text}", ana) as stream:
        stream.begin()
        assert not stream.seen[0].connected.HasField("user_id")
        api_keys.revoke(aurora.principal(), key)
        assert stream.end() == (grpc.StatusCode.UNAUTHENTICATED, "invalid_token")


def test_client_that_does_not_read_is_put_out_and_may_resume(
    aurora: House, token: str, ana: UUID, tape: Tape, server: GrpcServer
) -> None:
    with server.channel() as channel, Stream(EventsStub(channel), token, ana) as stream:
        since = stream.begin().seen[-1].offset
        spoken = {"type": "message", "text": "x" * 2000}  # more than the buffers on the way can hold
        numbers = [n for _ in range(20) for n in tape.play(aurora.organization, ana, *["sent"] * 200, **spoken)]
        deadline = time.monotonic() + SECONDS
        while '"too_slow"' not in server.process.log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with server.channel() as channel, Stream(EventsStub(channel), token, ana, since=since) as stream:
        stream.begin()
        assert [event.message.event_id for event in stream.next(len(numbers))] == numbers


def test_one_caller_cannot_take_all_the_streams(aurora: House, ana: UUID, tmp_path: Path) -> None:
    with run_grpc_server(tmp_path, "--most-streams", "2") as small, small.channel() as channel:
        events = EventsStub(channel)
        key = with_key(aurora.organization).credential
        with Stream(events, key, ana) as one:
            one.begin()
            with Stream(events, key, ana) as two:
                two.begin()
                full = (grpc.StatusCode.RESOURCE_EXHAUSTED, "too_many_streams")
                assert Stream(events, key, ana).end() == full
            deadline = time.monotonic() + SECONDS
            while True:  # the place of the one that left is free as soon as the server knows
                with Stream(events, key, ana) as three:
                    try:
                        three.begin()
                        break
                    except grpc.RpcError:
                        assert time.monotonic() < deadline


def test_server_that_stops_sends_its_streams_away_to_come_back(
    aurora: House, token: str, ana: UUID, tape: Tape, tmp_path: Path
) -> None:
    server = grpc_server(tmp_path)
    server.start()
    with server.channel() as channel:
        stub = EventsStub(channel)
        health: Any = HealthStub(channel)  # its stubs do not know its methods
        stream = Stream(stub, token, ana).begin()
        watching = health.Watch(HealthCheckRequest(), timeout=SECONDS)
        assert next(watching).status == HealthCheckResponse.SERVING
        since = stream.seen[-1].offset
        server.process.signal_stop()
        assert stream.end() == (grpc.StatusCode.UNAVAILABLE, "restarting")
        assert next(watching).status == HealthCheckResponse.NOT_SERVING
    server.stop()
    last = json.loads(server.process.log.read_text().splitlines()[-1])
    assert last["event"] == "grpc_stopped"

    (missed,) = tape.play(aurora.organization, ana)
    server.start()
    try:
        with server.channel() as channel, Stream(EventsStub(channel), token, ana, since=since) as stream:
            stream.begin()
            assert stream.numbers(1) == [missed]
    finally:
        server.stop()


def test_server_tells_its_health_and_its_contract(server: GrpcServer) -> None:
    for name in ("Events", "Messages"):
        assert server.health(f"recado.v1.{name}") == HealthCheckResponse.SERVING
    with server.channel() as channel:
        asked = ServerReflectionRequest(file_containing_symbol="recado.v1.Events")
        stub: Any = ServerReflectionStub(channel)
        (answer,) = stub.ServerReflectionInfo(iter([asked]), timeout=SECONDS)
    files = answer.file_descriptor_response.file_descriptor_proto
    assert "recado/v1/recado.proto" in [FileDescriptorProto.FromString(file).name for file in files]


def test_generated_code_is_that_of_the_contract(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "proto" / "generate.py", "--into", tmp_path], check=True, timeout=60)
    made = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert len(made) == 2 * 5
    stale = [str(path) for path, text in made.items() if (ROOT / path).read_text() != text]
    assert not stale, "run `make proto`"


def _token(house: House, *, expires_in: float) -> str:
    """An agent's own token, but for when it expires."""
    claims = read_access_token(sessions.open_session(house.agent).access)
    name, key = next(iter(settings.JWT_SIGNING_KEYS.items()))
    said = {
        "aud": "recado",
        "iat": clock.now() - timedelta(minutes=1),
        "exp": clock.now() + timedelta(seconds=expires_in),
        "user_id": str(claims.user_id),
        "organization_id": str(claims.organization_id),
        "session_id": str(claims.session_id),
    }
    return jwt.encode(said, key, "HS256", headers={"kid": name})
