"""The command line as people use it: a process of its own, against the real servers."""

import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from recado_cli.addresses import Addresses

from apps.accounts.roles import Scope
from apps.channels.errors import MessageRejected
from apps.core.redis import redis_client
from apps.messaging.engine.outcome import Result
from apps.messaging.models import Message
from local.ports import free_port
from tests.cast import PASSWORD, House, with_key
from tests.clients.terminal import Cli, Running, make_certificate
from tests.messaging import history
from tests.messaging.history import ANA, BIA
from tests.realtime import grpc_stage
from tests.realtime.tape import Tape
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def grpc_server(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[grpc_stage.GrpcServer]:
    with grpc_stage.run_grpc_server(tmp_path_factory.mktemp("grpc")) as running:
        yield running


@pytest.fixture
def cli(server: Server, grpc_server: grpc_stage.GrpcServer, tmp_path: Path) -> Cli:
    return Cli(tmp_path / "config", server.url, grpc_server.address)


@pytest.fixture
def key_cli(cli: Cli, aurora: House) -> Cli:
    """With an API key in its environment."""
    cli.environment |= {"RECADO_URL": cli.url, "RECADO_GRPC": cli.grpc, "RECADO_API_KEY": key_of(aurora)}
    return cli


@pytest.fixture
def tape() -> Tape:
    return Tape()


def key_of(house: House, *scopes: Scope) -> str:
    return with_key(house.organization, *scopes).credential.removeprefix("Api-Key ")


def conversation_with(house: House, address: str = ANA) -> UUID:
    return history.queued(house, to=address).conversation_id


def test_person_logs_in_works_and_logs_out(cli: Cli, aurora: House) -> None:
    done = cli.log_in(aurora)
    assert (done.exit_code, done.output) == (0, ""), done.errors
    assert "Padaria Aurora" in done.errors
    assert stat.S_IMODE(cli.kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(cli.kept.parent.stat().st_mode) == 0o700
    assert PASSWORD not in cli.kept.read_text()

    conversation = conversation_with(aurora)
    (listed,) = cli("conversations", "--json").lines
    assert (listed["id"], listed["address"]) == (str(conversation), ANA)
    access = json.loads(cli.kept.read_text())["access"]
    assert cli("logout").exit_code == 0
    assert not cli.kept.exists()
    again = cli("conversations")
    assert (again.exit_code, again.errors) == (3, "recado: You are not logged in. Run: recado login\n")
    cli.environment |= {"RECADO_URL": cli.url, "RECADO_API_KEY": access}
    assert cli("conversations").exit_code == 3  # the server knows, too


def test_log_in_asks_for_the_second_factor(cli: Cli, aurora: House) -> None:
    TOTP.activate(aurora.owner.user, "JBSWY3DPEHPK3PXP")
    code = RecoveryCodes.activate(aurora.owner.user).get_unused_codes()[0]
    done = cli("login", "--url", cli.url, typed=f"owner@aurora.example\n{PASSWORD}\n000000\n{code}\n")
    assert done.exit_code == 0, done.errors
    assert "The code is wrong" in done.errors


def test_wrong_password_is_told_and_nothing_is_kept(cli: Cli, aurora: House) -> None:
    done = cli("login", "--url", cli.url, "--email", "owner@aurora.example", typed="guess\n")
    assert (done.exit_code, done.errors) == (3, "recado: E-mail and password do not match.\n")
    assert not cli.kept.exists()


def test_profiles_keep_servers_and_people_apart(cli: Cli, aurora: House, boreal: House) -> None:
    assert cli.log_in(aurora).exit_code == 0
    done = cli("--profile", "books", "login", "--url", cli.url, "--api-key", typed=f"{key_of(boreal)}\n")
    assert done.exit_code == 0, done.errors
    ours, theirs = conversation_with(aurora), conversation_with(boreal)
    assert [each["id"] for each in cli("conversations", "--json").lines] == [str(ours)]
    for arguments in (("--profile", "books", "conversations"), ("conversations", "--profile", "books")):
        assert [each["id"] for each in cli(*arguments, "--json").lines] == [str(theirs)]
    assert cli("--profile", "../x", "conversations").exit_code == 2


def test_commands_at_once_do_not_log_each_other_out(cli: Cli, aurora: House) -> None:
    """A refresh token works once: the second to use it would end the session."""
    cli.log_in(aurora)
    kept = json.loads(cli.kept.read_text())
    cli.kept.write_text(json.dumps(kept | {"expires_at": 0}))
    threads = [threading.Thread(target=cli, args=("conversations",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(cli.kept.read_text())["refresh"] != kept["refresh"]
    assert cli("conversations").exit_code == 0


def test_sent_message_is_accepted_and_its_id_printed(key_cli: Cli, aurora: House) -> None:
    account = str(history.account_of(aurora).id)
    done = key_cli("send", "--account", account, "--to", BIA, "--reference", "order-7", typed="Olá,\nBia\n")
    assert done.exit_code == 0, done.errors
    message = Message.across_organizations.get(pk=done.output.strip())
    assert (message.text, message.reference) == ("Olá,\nBia", "order-7")


def test_refusal_says_what_is_wrong(key_cli: Cli, aurora: House) -> None:
    account = str(history.account_of(aurora).id)
    done = key_cli("send", "--account", account, "--to", "11912345601", "Bom dia")
    assert done.exit_code == 1
    assert "to: This is no phone number in international form" in done.errors
    assert key_cli("send", "--to", ANA, "Bom dia").exit_code == 2
    assert key_cli("send", "Bom dia").exit_code == 2


def test_send_waits_until_the_message_has_arrived(key_cli: Cli, aurora: House, tape: Tape) -> None:
    conversation = conversation_with(aurora)
    with Running(key_cli, "send", "--conversation", str(conversation), "--wait", "--json", "Bom dia") as sending:
        sending.wait_until(lambda: len(sending.output) == 2)  # the message, and how it stands
        sent, now = map(json.loads, sending.output)
        assert (now["type"], now["message_id"], now["status"]) == ("snapshot", sent["id"], "queued")
        tape.play(aurora.organization, conversation, "delivered")  # another message's
        tape.play(aurora.organization, conversation, "sending", "sent", "delivered", message_id=sent["id"])
        assert sending.end() == 0
        sending.stop()
    assert [json.loads(line)["status"] for line in sending.output[2:]] == ["sending", "sent", "delivered"]


def test_send_that_is_not_delivered_says_why(key_cli: Cli, aurora: House, tape: Tape) -> None:
    conversation = history.sent(aurora).conversation_id
    with Running(key_cli, "send", "--conversation", str(conversation), "--wait", "--json", "Bom dia") as sending:
        sending.wait_until(lambda: len(sending.output) == 2)
        message = Message.across_organizations.get(text="Bom dia")
        history.leave(message, Result.FAILED, MessageRejected("131047", "more than a day"))
        tape.play(aurora.organization, conversation, "failed", message_id=message.id)
        assert sending.end() == 5
        sending.stop()
    assert "it is failed" in sending.errors[0]
    assert "131047" in sending.errors[0]


def test_send_gives_up_waiting_when_its_time_is_over(key_cli: Cli, aurora: House) -> None:
    conversation = conversation_with(aurora)
    done = key_cli("send", "--conversation", str(conversation), "--wait", "--timeout", "1", "Bom dia")
    assert done.exit_code == 6
    assert "not delivered after 1 s" in done.errors


@pytest.mark.long
def test_tail_goes_on_where_it_was_when_the_server_restarts(
    key_cli: Cli, aurora: House, tape: Tape, tmp_path: Path
) -> None:
    conversation = conversation_with(aurora)
    own = grpc_stage.grpc_server(tmp_path)
    key_cli.environment["RECADO_GRPC"] = own.address
    own.start()
    try:
        with Running(key_cli, "tail", "--json") as tail:
            tail.wait_until_told("following")
            expected = tape.play_many(aurora.organization, conversation, 20)
            own.stop()
            expected += tape.play_many(aurora.organization, conversation, 20)
            tail.wait_until_told("trying again")
            own.start()
            expected += tape.play_many(aurora.organization, conversation, 20)
            tail.wait_until(lambda: len(tail.output) >= len(expected))
            assert [frame["event_id"] for frame in tail.frames()] == expected
            tail.wait_until_told("connected again")
            since = tail.frames()[9]["offset"]
            assert tail.stop() == 0
        with Running(key_cli, "tail", "--json", "--since", since) as tail:
            tail.wait_until(lambda: len(tail.output) >= 50)
            assert [frame["event_id"] for frame in tail.frames()] == expected[10:]
    finally:
        own.stop()


def test_tail_speaks_tls_beyond_loopback_and_trusts_nobody_else(
    key_cli: Cli, aurora: House, tape: Tape, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    own = grpc_stage.grpc_server(tmp_path, "--certificate", str(certificate), "--key", str(key))
    own.process.start()
    try:
        own.process.wait_until(lambda: own.process.has_written("grpc_serves"))
        key_cli.environment["RECADO_GRPC"] = f"https://{own.address}"
        with Running(key_cli, "tail", "--json") as stranger:
            stranger.wait_until_told("trying again")
        key_cli.environment["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(certificate)
        with Running(key_cli, "tail", "--json") as tail:
            tail.wait_until_told("following")
            (number,) = tape.play(aurora.organization, conversation_with(aurora))
            tail.wait_until(lambda: bool(tail.frames()))
            assert tail.frames()[0]["event_id"] == number
    finally:
        own.stop()


def test_tail_tells_a_gap_and_shows_how_things_stand(key_cli: Cli, aurora: House) -> None:
    message = history.sent(aurora)
    conversation = message.conversation_id
    with Running(key_cli, "tail", "--json", "--conversation", str(conversation)) as tail:
        tail.wait_until_told("following")
        redis_client().flushdb()
        tail.wait_until(lambda: bool(tail.frames("snapshot")))
        assert "missed" in "".join(tail.errors)
        assert [frame["conversation_id"] for frame in tail.frames("gap")] == [str(conversation)]
        (now,) = tail.frames("snapshot")
        assert (now["message_id"], now["status"]) == (str(message.id), "sent")
        (number,) = Tape().play(aurora.organization, conversation)
        tail.wait_until(lambda: bool(tail.frames()))
        assert tail.frames()[0]["event_id"] == number


def test_tail_renews_its_token(cli: Cli, aurora: House, tape: Tape) -> None:
    """An access token lives for minutes, and a tail for days."""
    cli.log_in(aurora)
    conversation = conversation_with(aurora)
    # One that the server refuses although it looks fresh, as after its keys were changed.
    cli.kept.write_text(json.dumps(json.loads(cli.kept.read_text()) | {"access": "e30.e30.e30"}))
    with Running(cli, "tail", "--json") as tail:
        tail.wait_until_told("following")
        (number,) = tape.play(aurora.organization, conversation)
        tail.wait_until(lambda: bool(tail.frames()))
        assert tail.frames()[0]["event_id"] == number
    assert json.loads(cli.kept.read_text())["access"] != "e30.e30.e30"


def test_tail_shows_people_lines_they_can_read(key_cli: Cli, aurora: House, tape: Tape) -> None:
    conversation = conversation_with(aurora)
    with Running(key_cli, "tail") as tail:
        tail.wait_until_told("following")
        tape.play(aurora.organization, conversation, "sent", "delivered", at="2026-03-01T12:30:00Z")
        tape.play(aurora.organization, conversation, "sending", kind="retrying", attempt=2)
        tape.play(aurora.organization, conversation, type="message", text="\x1b]0;gotcha\x07Oi")
        tail.wait_until(lambda: len(tail.output) == 4)
        assert tail.stop() == 0
    sent, delivered, retrying, inbound = tail.output
    assert sent.startswith("09:30:00  ✓  sent       ")
    assert delivered.startswith("09:30:00  ✓✓ delivered  ")
    assert len({line.index(str(conversation)) for line in tail.output}) == 1
    assert "retrying, attempt 2" in retrying
    assert inbound.rstrip().endswith("Oi")
    assert not any("\x1b" in line or "\x07" in line for line in tail.output)


@pytest.mark.parametrize(("no_colour", "has_colours"), [("", True), ("1", False)])
def test_colours_are_for_terminals(key_cli: Cli, aurora: House, no_colour: str, has_colours: bool) -> None:
    conversation = conversation_with(aurora)
    key_cli.environment |= {"NO_COLOR": no_colour, "TERM": "xterm"}
    shown = key_cli.at_terminal("send", "--conversation", str(conversation), "--wait", "--timeout", "1", "x")
    assert "queued" in shown
    assert ("\x1b[" in shown) is has_colours


def test_other_organizations_conversation_is_not_found(key_cli: Cli, boreal: House) -> None:
    done = key_cli("tail", "--conversation", str(conversation_with(boreal)))
    assert done.exit_code == 1
    assert "no conversation" in done.errors


def test_conversations_come_in_pages(key_cli: Cli, aurora: House) -> None:
    wanted = [str(conversation_with(aurora, f"+55119{n:08}")) for n in range(5)][::-1]
    first = key_cli("conversations", "--limit", "2")
    head, *rows = first.output.splitlines()
    assert head.split() == ["ID", "CHANNEL", "ADDRESS", "STATE", "SINCE"]
    assert [row.split()[0] for row in rows] == wanted[:2]
    cursor = first.errors.split("--cursor ")[1].split(",")[0]
    rest = key_cli("conversations", "--limit", "2", "--cursor", cursor, "--all", "--json")
    assert [each["id"] for each in rest.lines] == wanted[2:]


def test_key_without_the_scope_is_told_so(cli: Cli, aurora: House) -> None:
    key = key_of(aurora, Scope.MESSAGES_WRITE)
    cli.environment |= {"RECADO_URL": cli.url, "RECADO_GRPC": cli.grpc, "RECADO_API_KEY": key}
    for command in ("conversations", "tail"):
        done = cli(command)
        assert (done.exit_code, "messages:read" in done.errors) == (1, True)


def test_key_that_is_not_valid_is_told_so(key_cli: Cli) -> None:
    key_cli.environment["RECADO_API_KEY"] = "rk_abcdefghijkm_secret"
    for command in ("conversations", "tail"):
        done = key_cli(command)
        assert (done.exit_code, "API key is not valid" in done.errors) == (3, True)


def test_server_that_is_not_there_is_told(key_cli: Cli) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    key_cli.environment |= {"RECADO_URL": f"http://{nowhere}"}
    done = key_cli("conversations")
    assert (done.exit_code, "cannot be reached" in done.errors) == (4, True)


@pytest.mark.parametrize("url", ["http://recado.example.com", "recado.example.com", "ftp://127.0.0.1", "http://"])
def test_secrets_do_not_travel_in_plain_text(cli: Cli, url: str) -> None:
    done = cli("login", "--url", url, typed="a@b.example\nsecret\n")
    assert done.exit_code == 2
    assert not cli.kept.exists()


@pytest.mark.parametrize(
    ("grpc", "insecure", "is_plain"),
    [
        ("127.0.0.1:50051", False, True),
        ("[::1]:50051", False, True),
        ("localhost:50051", False, True),
        ("https://127.0.0.1:50051", False, False),
        ("recado.example.com:443", False, False),
        ("127.0.0.1.example.com:443", False, False),
        ("recado.example.com:50051", True, True),
    ],
)
def test_grpc_is_plain_only_on_this_machine(grpc: str, insecure: bool, is_plain: bool) -> None:
    assert Addresses("http://127.0.0.1:8000", grpc, insecure).grpc_is_plain is is_plain
