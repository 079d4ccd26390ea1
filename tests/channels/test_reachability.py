"""Whether providers reach us: only this very installation passes, and what is wrong is said in words."""

import socket
from ipaddress import ip_network

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from apps.channels import outbound, reachability
from apps.channels.models import ChannelAccount
from apps.channels.reachability import Finding, answer_to, probe
from apps.channels.registry import NAMES, connector_class
from tests.cast import Api, House, add_channel_account
from tests.core.test_guarded_http import Certified, Names, Peer, serving, stay_silent
from tests.server import Server

PATH = "/v1/channel-accounts"
LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK


async def found(status: str, body: str = "", head: str = "") -> reachability.Checked:
    """By asking a server that answers all in this way."""

    async def answer(peer: Peer) -> None:
        await peer.listen()
        await peer.say(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n{body}".encode())

    async with serving(answer) as served:
        return await probe(f"{served.url}/v1/hooks/whatsapp_cloud", 5)


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        ("200 OK", Finding.OTHER_SERVER),
        ("204 No Content", Finding.OTHER_SERVER),
        ("301 Moved Permanently", Finding.REDIRECTED),
        ("400 Bad Request", Finding.HOST_REFUSED),
        ("401 Unauthorized", Finding.FORBIDDEN),
        ("403 Forbidden", Finding.FORBIDDEN),
        ("404 Not Found", Finding.NOT_FOUND),
        ("418 I'm a teapot", Finding.OTHER_SERVER),
        ("502 Bad Gateway", Finding.UNAVAILABLE),
        ("504 Gateway Timeout", Finding.UNAVAILABLE),
    ],
)
async def test_somebody_else_does_not_pass(status: str, finding: Finding) -> None:
    checked = await found(status)
    assert checked.finding is finding
    assert not checked.is_ok
    assert "http://127.0.0.1" in checked.detail
    assert "%(" not in checked.detail


async def test_redirect_is_not_followed() -> None:
    async with serving() as elsewhere:
        checked = await found("302 Found", head=f"Location: {elsewhere.url}\r\n")
    assert checked.finding is Finding.REDIRECTED
    assert elsewhere.requests == []


async def test_what_is_sent_back_proves_nothing() -> None:
    async def echo(peer: Peer) -> None:
        await peer.listen()
        head = peer.served.requests[-1].decode("latin-1")
        shown = next(line for line in head.split("\r\n") if line.startswith(reachability.PROBE_HEADER))
        said = shown.partition(": ")[2]
        await peer.say(f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\n\r\n{said}".encode())

    async with serving(echo) as served:
        assert (await probe(served.url, 5)).finding is Finding.OTHER_SERVER


async def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        checked = await probe(f"http://127.0.0.1:{taken.getsockname()[1]}/", 5)
    assert checked.finding is Finding.NOT_CONNECTED
    assert "ECONNREFUSED" in checked.detail


async def test_who_never_answers() -> None:
    async with serving(stay_silent) as served:
        assert (await probe(served.url, 0.3)).finding is Finding.TIMED_OUT


async def test_who_hangs_up() -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.listen()

    async with serving(hang_up) as served:
        assert (await probe(served.url, 5)).finding is Finding.BROKEN_OFF


async def test_name_that_is_not_found(names: Names) -> None:
    checked = await probe("https://recado.example/v1/hooks/telegram", 5)
    assert checked.finding is Finding.NAME_NOT_FOUND
    assert "PUBLIC_URL" in checked.detail


async def test_certificate_that_nobody_trusts(names: Names, hooks_example: Certified) -> None:
    names.answers["hooks.example"] = [["127.0.0.1"]]
    async with serving(tls=hooks_example.server) as served:
        checked = await probe(f"https://hooks.example:{served.port}/", 5)
    assert checked.finding is Finding.BAD_CERTIFICATE
    assert "self-signed" in checked.detail


async def test_address_that_is_none() -> None:
    assert (await probe("https://user@recado.example/", 5)).finding is Finding.BAD_ADDRESS


@pytest.mark.django_db
def test_only_our_own_question_is_answered(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = reachability._signer()
    asked = signer.sign("nonce")
    client = Client()
    good = client.post("/v1/hooks/whatsapp_cloud", headers={reachability.PROBE_HEADER: asked})
    assert (good.status_code, good.content.decode()) == (200, reachability._proof("nonce"))
    for shown in ("", "nonce", asked + "x", asked.replace("nonce", "other")):
        answer = client.post("/v1/hooks/whatsapp_cloud", headers={reachability.PROBE_HEADER: shown})
        assert answer.status_code in {400, 403}
        assert reachability._proof("nonce") not in answer.content.decode()
    assert client.post("/v1/hooks/pigeon", headers={reachability.PROBE_HEADER: asked}).status_code == 404
    monkeypatch.setattr(reachability, "PROBE_SECONDS", -1)
    assert answer_to(asked) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("networks", [LOOPBACK, []])
def test_this_installation_answers_itself(
    aurora: House, owner: Api, server: Server, settings: Settings, networks: list[object]
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS, settings.PUBLIC_URL = networks, server.url
    telegram = add_channel_account(aurora, "telegram")
    answer = owner.post(f"{PATH}/{telegram.pk}/check-callback")
    assert answer.status_code == 200
    checked = answer.json()
    assert (checked["ok"], checked["callback_url"]) == (True, f"{server.url}/v1/hooks/telegram/{telegram.pk}")
    # Where private networks are not meant to be called, that ours is one is worth a word.
    assert checked["code"] == ("reachable" if networks else "private_network")
    settings.SECRET_KEY = "of-another-installation" * 3
    assert owner.post(f"{PATH}/{telegram.pk}/check-callback").json()["code"] == "forbidden"


@pytest.mark.django_db
def test_channel_that_is_never_called_says_so(aurora: House, owner: Api) -> None:
    email = add_channel_account(aurora, "email")
    checked = owner.post(f"{PATH}/{email.pk}/check-callback").json()
    assert (checked["ok"], checked["code"], checked["callback_url"]) == (False, "no_callback", "")


@pytest.mark.django_db
def test_check_has_the_places_of_verifications(aurora: House, owner: Api) -> None:
    account = add_channel_account(aurora)
    with outbound._PLACES, outbound._PLACES, outbound._PLACES, outbound._PLACES:
        answer = owner.post(f"{PATH}/{account.pk}/check-callback")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_verifications")


@pytest.mark.django_db
def test_no_tenant_says_where_is_called(aurora: House) -> None:
    """Not even in the credentials, which name servers of theirs."""
    for name in NAMES:
        url = ChannelAccount(organization=aurora.organization, connector=name).callback_url
        assert not url or url.startswith(f"{django_settings.PUBLIC_URL}/v1/hooks/{name}")


@pytest.mark.parametrize("name", NAMES)
def test_who_is_called_back_says_where_that_is_pasted(name: str) -> None:
    kind = connector_class(name)
    assert bool(kind.callback_hint) == (kind.called_at != "nowhere")
    if kind.challenge_credential:
        assert kind.challenge_credential in str(kind.callback_hint)


def test_every_finding_has_words() -> None:
    assert set(reachability._WORDS) == set(Finding)
