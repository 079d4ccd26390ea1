"""Where strangers choose whom we call: the URLs of webhooks, the links of media, the names of mail servers.

Nothing is connected to that is not public. Only name server and sockets are watched; all else is real.
"""

import ssl
from contextlib import suppress

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from apps.channels.connector import Outbound
from apps.channels.connectors.email import Email
from apps.channels.connectors.webhook import Webhook
from apps.channels.content import Content, Media, MediaKind
from apps.channels.errors import AccountRejected, MessageRejected, RecipientRejected, SendFailed
from apps.core.addresses import Network
from apps.core.guarded_http import GuardedClient
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import MESSAGE_ID
from tests.channels.loopback_mail import mail_server
from tests.channels.loopback_provider import LOOPBACK
from tests.core.test_guarded_http import Names, answering, serving

type Connections = list[tuple[str, int]]

HOSTILE = [
    "127.0.0.1", "localhost.", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "0",
    "169.254.169.254", "[fd00:ec2::254]", "168.63.129.16", "100.100.100.200", "metadata.google.internal",
    "[::1]", "[::]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]",
    "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "１２７.0.0.1", "127。0。0。1",
    "user@127.0.0.1", "smtp.example.com@127.0.0.1", "127.0.0.1\\@example.com", "example.com\r\n127.0.0.1",
]  # fmt: skip
INTERNAL = ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.5", "2002:a00:5::"]
NAMED = {"localhost": ["127.0.0.1"], "localhost.": ["127.0.0.1"], "metadata.google.internal": ["169.254.169.254"]}


TLS = ssl.create_default_context()


def guarded() -> GuardedClient:
    """As production makes it."""
    networks = django_settings.OUTBOUND_ALLOWED_NETWORKS
    return GuardedClient(networks, 5, allow_http=bool(networks), tls=TLS)


class Caller:
    """Has us call a host, in each of the ways that a stranger can."""

    def __init__(self, email: Email) -> None:
        self._email = email

    async def webhook(self, host: str, scheme: str = "https") -> None:
        async with guarded() as http:
            wanted = Outbound(MESSAGE_ID, f"{scheme}://{host}/hook", Content("Oi"), CREDENTIALS["webhook"])
            await Webhook("").send(http, wanted)

    async def media(self, host: str, scheme: str = "https") -> None:
        content = Content("Oi", media=Media(MediaKind.IMAGE, f"{scheme}://{host}/image.png"))
        await self._mail(content, CREDENTIALS["email"])

    async def mail(self, host: str, security: str = "starttls") -> None:
        await self._mail(Content("Oi"), CREDENTIALS["email"] | {"server": host, "security": security})

    async def _mail(self, content: Content, credentials: dict[str, str]) -> None:
        async with guarded() as http:
            await self._email.send(http, Outbound(MESSAGE_ID, "ana@cliente.example", content, credentials))


@pytest.fixture
def caller(email: Email, settings: Settings) -> Caller:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    return Caller(email)


@pytest.fixture
def opened(caller: Caller, settings: Settings) -> None:
    """Loopback may be called, and nothing else that is not public."""
    networks: list[Network] = LOOPBACK
    settings.OUTBOUND_ALLOWED_NETWORKS = networks


WAYS = {"webhook": RecipientRejected, "media": MessageRejected, "mail": AccountRejected}


@pytest.mark.parametrize("way", WAYS)
async def test_hostile_host_is_refused_before_any_connection(
    caller: Caller,
    names: Names,
    connected: Connections,
    way: str,
) -> None:
    names.answers |= {name: [addresses] for name, addresses in NAMED.items()}
    for host in HOSTILE:
        with pytest.raises(SendFailed) as failed:
            await getattr(caller, way)(host)
        assert (host, type(failed.value)) == (host, WAYS[way])
        assert failed.value.code in {"target_refused", "media_refused"}
        assert (host, connected) == (host, [])


@pytest.mark.parametrize("way", WAYS)
async def test_name_of_an_internal_address_is_refused(
    caller: Caller,
    names: Names,
    connected: Connections,
    way: str,
) -> None:
    for address in INTERNAL:
        for addresses in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
            names.answers["innocent.example"] = [addresses]
            with pytest.raises(SendFailed) as failed:
                await getattr(caller, way)("innocent.example")
            assert (addresses, type(failed.value)) == (addresses, WAYS[way])
            assert address not in str(failed.value), "our internal DNS is none of a tenant's business"
            assert (addresses, connected) == (addresses, [])


async def test_webhooks_name_is_resolved_once(
    caller: Caller,
    opened: None,
    names: Names,
    connected: Connections,
) -> None:
    names.answers["rebinding.example"] = [["127.0.0.1"], ["10.0.0.5"]]
    async with serving() as served:
        await caller.webhook(f"rebinding.example:{served.port}", "http")
    assert (names.questions, connected) == (["rebinding.example"], [("127.0.0.1", served.port)])


async def test_medias_name_is_resolved_once(
    caller: Caller,
    opened: None,
    names: Names,
    connected: Connections,
) -> None:
    names.answers["rebinding.example"] = [["127.0.0.1"], ["10.0.0.5"]]
    async with serving() as served:
        with suppress(SendFailed):  # the mail server has no name here
            await caller.media(f"rebinding.example:{served.port}", "http")
    assert (names.questions.count("rebinding.example"), connected) == (1, [("127.0.0.1", served.port)])


async def test_mail_servers_name_is_resolved_once_and_judged_again_with_the_next_connection(
    caller: Caller,
    opened: None,
    names: Names,
    connected: Connections,
) -> None:
    names.answers["rebinding.example"] = [["127.0.0.1"], ["10.0.0.5"]]
    async with mail_server(MAIL=b"421 4.3.2 Bye\r\n") as served:
        host = f"rebinding.example:{served.port}"
        with pytest.raises(SendFailed):
            await caller.mail(host, "none")
        assert (names.questions, connected) == (["rebinding.example"], [("127.0.0.1", served.port)])
        with pytest.raises(AccountRejected):
            await caller.mail(host, "none")
    assert connected == [("127.0.0.1", served.port)]


@pytest.mark.parametrize("way", ["webhook", "media"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_to_an_internal_address_is_not_followed(
    caller: Caller,
    opened: None,
    names: Names,
    connected: Connections,
    way: str,
    status: int,
) -> None:
    location = "http://169.254.169.254/latest/meta-data/"
    redirect = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    names.answers["moved.example"] = [["127.0.0.1"]]
    async with serving(answering(redirect)) as served:
        with pytest.raises(WAYS[way]):
            await getattr(caller, way)(f"moved.example:{served.port}", "http")
    assert connected == [("127.0.0.1", served.port)]


@pytest.mark.parametrize("port", [22, 80, 443, 5432, 6379])
async def test_port_where_no_mail_is_taken_is_refused(
    caller: Caller,
    names: Names,
    connected: Connections,
    port: int,
) -> None:
    names.answers["public.example"] = [["8.8.8.8"]]
    with pytest.raises(AccountRejected) as failed:
        await caller.mail(f"public.example:{port}")
    assert (failed.value.code, names.questions, connected) == ("target_refused", [], [])


@pytest.mark.parametrize("way", ["webhook", "media"])
async def test_plain_http_is_refused(caller: Caller, names: Names, way: str) -> None:
    with pytest.raises(WAYS[way]):
        await getattr(caller, way)("public.example", "http")
    assert names.questions == []


async def test_mail_without_encryption_is_refused(caller: Caller, names: Names) -> None:
    with pytest.raises(AccountRejected):
        await caller.mail("public.example", "none")
    assert names.questions == []
