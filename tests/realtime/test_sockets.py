"""Who gets in, who is put out, and what no client can do."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from websockets.exceptions import InvalidStatus

from apps.accounts import api_keys, members, sessions, tokens
from apps.accounts.models import ApiKey, Membership
from apps.accounts.roles import Scope
from apps.core import clock
from tests.cast import House, as_member, with_key
from tests.realtime.socket import greeted, socket
from tests.realtime.tape import Tape
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


def bare(credential: str) -> str:
    return credential.partition(" ")[2]


def ticket_for(server: Server, credential: str) -> str:
    with server.client(credential) as client:
        answer = client.post("/v1/realtime/tickets")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["expires_in"] == 30
    return str(answer.json()["ticket"])


def token_that_ends_in(member: Membership, seconds: float) -> str:
    session = tokens.read_access_token(sessions.open_session(member).access)
    name, key = next(iter(settings.JWT_SIGNING_KEYS.items()))
    claims: dict[str, Any] = {
        "aud": tokens.AUDIENCE,
        "iat": clock.now(),
        "exp": clock.now() + timedelta(seconds=seconds),
        **{field: str(getattr(session, field)) for field in ("user_id", "organization_id", "session_id")},
    }
    return jwt.encode(claims, key, tokens.ALGORITHM, headers={"kid": name})


def test_five_ways_in(server: Server, aurora: House, token: str) -> None:
    access = bare(token)
    ways: list[dict[str, Any]] = [
        {"credential": token},
        {"query": f"?access_token={access}"},
        {"query": f"?ticket={ticket_for(server, token)}"},
        {"subprotocols": ["recado.v1", f"bearer.{access}"]},
    ]
    for way in ways:
        with socket(server, **way) as opened:
            said = opened.hear()
            assert said["type"] == "connected", way
            assert said["user_id"] == str(aurora.agent.user_id)
            assert said["organization_id"] == str(aurora.organization.id)
            assert said["epoch"]
            assert opened.subprotocol == ("recado.v1" if "subprotocols" in way else None)
    with socket(server) as opened:
        assert opened.ask(action="ping")["code"] == "not_authenticated"
        assert opened.ask(action="authenticate", token=access)["type"] == "connected"
        assert opened.ask(action="ping")["type"] == "pong"


def test_api_key_gets_in_by_header_and_first_frame_but_never_by_an_address(server: Server, aurora: House) -> None:
    key = with_key(aurora.organization, Scope.MESSAGES_READ).credential
    with greeted(server, key) as opened:
        assert opened.subscribe_to_all()["type"] == "subscribed"
    with socket(server) as opened:
        assert opened.ask(action="authenticate", token=bare(key))["user_id"] is None
    with socket(server, query=f"?ticket={ticket_for(server, key)}") as opened:
        assert opened.hear()["user_id"] is None
    with socket(server, query=f"?access_token={bare(key)}") as opened:
        assert opened.close_code() == 4401


def test_forged_and_expired_and_foreign_tokens_are_refused(server: Server, aurora: House, token: str) -> None:
    access = bare(token)
    header, payload, _ = access.split(".")
    old = token_that_ends_in(aurora.agent, -1)
    bad = [f"{header}.{payload}.{'A' * 43}", old, "", "x" * 5000, "rk_abcdefgh12_" + "x" * 43, "nonsense", "\x00é"]
    for credential in bad:
        with socket(server) as opened:
            opened.say(action="authenticate", token=credential)
            assert opened.close_code() == 4401, credential
    with socket(server, headers={"Authorization": "Basic YTpi"}) as opened:
        assert opened.close_code() == 4401
    with socket(server, query="?ticket=never-issued") as opened:
        assert opened.close_code() == 4401


def test_ticket_works_once(server: Server, aurora: House, token: str) -> None:
    ticket = ticket_for(server, token)
    with socket(server, query=f"?ticket={ticket}") as opened:
        assert opened.hear()["type"] == "connected"
    with socket(server, query=f"?ticket={ticket}") as opened:
        assert opened.close_code() == 4401


def test_ticket_of_somebody_who_left_meanwhile_opens_nothing(server: Server, aurora: House, token: str) -> None:
    ticket = ticket_for(server, token)
    members.remove(aurora.principal(), aurora.agent)
    with socket(server, query=f"?ticket={ticket}") as opened:
        assert opened.close_code() == 4401


def test_whoever_says_nothing_is_put_out(server: Server) -> None:
    started = time.monotonic()
    with socket(server) as opened:
        assert opened.close_code() == 4401
    assert 4 < time.monotonic() - started < 8


def test_token_that_ends_takes_the_socket_along_unless_it_is_renewed(
    server: Server, aurora: House, boreal: House, ana: str
) -> None:
    short = token_that_ends_in(aurora.agent, 2)
    with greeted(server, f"Bearer {short}") as ends, greeted(server, f"Bearer {short}") as stays:
        fresh = sessions.open_session(aurora.agent).access
        assert stays.ask(action="authenticate", token=fresh)["type"] == "connected"
        assert ends.close_code() == 4401
        assert stays.subscribe(ana)["type"] == "subscribed"
        stays.say(action="authenticate", token=sessions.open_session(boreal.agent).access)
        assert stays.close_code() == 4401


def test_member_who_is_removed_is_put_out_at_once(server: Server, aurora: House, ana: str, tape: Tape) -> None:
    credentials = [as_member(member).credential for member in (aurora.agent, aurora.viewer)]
    with greeted(server, credentials[0]) as gone, greeted(server, credentials[1]) as stays:
        gone.subscribe(ana)
        members.remove(aurora.principal(), aurora.agent)
        assert gone.close_code(3) == 4401
        assert stays.is_quiet


def test_log_out_and_revoked_key_end_their_sockets(server: Server, aurora: House) -> None:
    pair = sessions.open_session(aurora.agent)
    key = with_key(aurora.organization, Scope.MESSAGES_READ).credential
    with greeted(server, f"Bearer {pair.access}") as person, greeted(server, key) as program:
        sessions.close_session(tokens.read_access_token(pair.access).session_id)
        assert person.close_code(3) == 4401
        assert program.is_quiet
        api_keys.revoke(aurora.principal(), ApiKey.across_organizations.get(name="Test"))
        assert program.close_code(3) == 4401


def test_page_of_another_origin_is_refused(server: Server, token: str) -> None:
    for origin in ("https://evil.example", "null", f"{server.url}.evil.example"):
        with socket(server, token, headers={"Origin": origin}) as opened:
            assert opened.close_code() == 4403
    for origin in (server.url, "https://app.aurora.example"):
        with greeted(server, token, headers={"Origin": origin}):
            pass


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "bad_frame"),
        ("{", "bad_frame"),
        ("[]", "bad_frame"),
        ('"subscribe"', "bad_frame"),
        (b"\x00\xff", "bad_frame"),
        ("{}", "unknown_action"),
        ('{"action": ["subscribe"]}', "unknown_action"),
        ('{"action": "subscribe"}', "bad_frame"),
        ('{"action": "subscribe", "conversation_id": 7}', "bad_frame"),
        ('{"action": "subscribe", "conversation_id": "x", "scope": "organization"}', "bad_frame"),
        ('{"action": "subscribe", "scope": "everything"}', "bad_frame"),
        ('{"action": "subscribe", "conversation_id": "\' OR 1=1"}', "not_found"),
        ('{"action": "subscribe", "scope": "organization", "since": 7}', "bad_offset"),
        ('{"action": "subscribe", "scope": "organization", "since": "0-0"}', "bad_offset"),
        ('{"action": "subscribe", "scope": "organization", "since": "٣-0-0-00000000"}', "bad_offset"),
        ('{"action": "authenticate", "token": {}}', "bad_frame"),
    ],
)
def test_garbage_is_answered_and_harms_nobody(server: Server, token: str, frame: str | bytes, code: str) -> None:
    with greeted(server, token) as opened:
        opened.say_raw(frame)
        assert opened.hear()["code"] == code
        assert opened.is_quiet


def test_offset_from_the_future_is_a_gap(server: Server, token: str, ana: str) -> None:
    with greeted(server, token) as opened:
        epoch = opened.subscribe(ana)["offset"].rpartition("-")[2]
        assert not opened.subscribe(ana, since=f"99999999999999-0-0-{epoch}")["recovered"]
        assert opened.hear()["type"] == "gap"


def test_long_frame_ends_its_socket_only(server: Server, token: str) -> None:
    with greeted(server, token) as noisy, greeted(server, token) as other:
        noisy.say_raw("x" * 1024 * 1024)
        assert noisy.close_code() == 1009
        assert other.is_quiet


def test_flood_of_frames_is_stopped(server: Server, token: str) -> None:
    with greeted(server, token) as noisy:
        for _ in range(1400):
            noisy.say(action="ping")
        assert noisy.close_code() == 4429


def test_other_addresses_take_no_sockets(server: Server, token: str) -> None:
    from websockets.sync.client import connect  # noqa: PLC0415

    with pytest.raises(InvalidStatus):
        connect(f"{server.url.replace('http', 'ws', 1)}/ws/other", proxy=None)


def test_no_token_reaches_the_log(server: Server, aurora: House, token: str) -> None:
    ticket = ticket_for(server, token)
    with socket(server, query=f"?access_token={bare(token)}") as opened:
        assert opened.hear()["type"] == "connected"
    with socket(server, query=f"?ticket={ticket}") as opened:
        assert opened.hear()["type"] == "connected"
    log = server.log.read_text()
    assert bare(token) not in log
    assert ticket not in log
