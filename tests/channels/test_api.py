"""Channel accounts over REST: what is accepted, what is shown, what is never shown."""

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread
from typing import Any

import pytest
from pytest_django import Settings

from apps.accounts.roles import Scope
from apps.channels import accounts, outbound
from apps.channels.models import ChannelAccount
from apps.channels.registry import NAMES, connector
from apps.core import clock
from tests.cast import CREDENTIALS, Api, House, add_channel_account, as_member, with_key
from tests.server import Server

pytestmark = pytest.mark.django_db
PATH = "/v1/channel-accounts"
NEW: dict[str, Any] = {
    "connector": "whatsapp_cloud",
    "name": "Balcão",
    "credentials": CREDENTIALS["whatsapp_cloud"],
}
SECRETS = [CREDENTIALS["whatsapp_cloud"][name] for name in ("access_token", "app_secret")]


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return add_channel_account(aurora)


class Graph(BaseHTTPRequestHandler):
    """Knows one token. Refuses all others, and quotes them, as the real one does."""

    def do_GET(self) -> None:
        token = self.headers["Authorization"].removeprefix("Bearer ")
        good = token == CREDENTIALS["whatsapp_cloud"]["access_token"]
        body = '{"id": "1"}' if good else f'{{"error": {{"code": 190, "message": "Malformed token {token}"}}}}'
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def graph(settings: Settings) -> Iterator[str]:
    """WhatsApp's address, on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Graph)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v23.0"
    settings.CONNECTOR_URLS = {**settings.CONNECTOR_URLS, "whatsapp_cloud": url}
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    connector.cache_clear()
    yield url
    connector.cache_clear()
    server.shutdown()
    server.server_close()
    thread.join()


def errors(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.content
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


def test_account_is_added_with_the_providers_limits(owner: Api, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://recado.example"
    answer = owner.post(PATH, NEW)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["credentials"] == {"phone_number_id": "106540352242922"}
    assert (shown["rate_per_second"], shown["burst"]) == (80, 80)
    assert shown["recipient_burst"] == 45
    assert shown["daily_quota"] is None
    assert shown["paused"] is None
    assert (shown["ordering"], shown["on_unknown"], shown["unknown_wait"]) == ("strict", "retry", 60)
    assert shown["callback_url"] == "https://recado.example/v1/hooks/whatsapp_cloud"
    assert owner.get(f"{PATH}/{shown['id']}").json() == shown
    assert owner.get(PATH).json()["data"] == [shown]


def test_secret_is_in_no_answer(owner: Api, graph: str) -> None:
    answers = [owner.post(PATH, NEW, Idempotency_Key="k"), owner.post(PATH, NEW, Idempotency_Key="k")]
    path = f"{PATH}/{answers[0].json()['id']}"
    new = {"access_token": "EAAG-another-token-of-the-house"}
    answers += [
        owner.get(PATH),
        owner.get(path),
        owner.post(path + "/verify"),
        owner.patch(path, {"credentials": new}),
        owner.post(path + "/verify"),
        owner.post(path + "/pause", {"reason": "x"}),
        owner.post(path + "/resume"),
        owner.patch(path, {"credentials": {"access_token": SECRETS[0] + "é"}}),
        owner.post(PATH, NEW),
        owner.get("/v1/audit-events"),
    ]
    assert [answer.status_code for answer in answers] == [
        201,
        201,
        200,
        200,
        200,
        200,
        200,
        200,
        200,
        400,
        409,
        200,
    ]
    text = "\n".join(answer.content.decode() for answer in answers)
    assert [secret for secret in [*SECRETS, *new.values()] if secret in text] == []


@pytest.mark.django_db(transaction=True)
def test_secret_is_in_no_log(server: Server, aurora: House) -> None:
    with server.client(with_key(aurora.organization).credential) as client:
        added = client.post(PATH, json=NEW)
        client.post(PATH, json={**NEW, "credentials": {**CREDENTIALS["whatsapp_cloud"], "x": "y"}})
        client.patch(f"{PATH}/{added.json()['id']}", json={"credentials": {"app_secret": SECRETS[1] + "é"}})
    assert added.status_code == 201
    log = server.log.read_text()
    assert PATH in log
    assert [secret for secret in SECRETS if secret in log] == []


def test_name_that_is_taken_is_a_conflict(owner: Api) -> None:
    owner.post(PATH, NEW)
    answer = owner.post(PATH, NEW)
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_unknown_connector_is_answered_with_the_known_ones(owner: Api) -> None:
    answer = owner.post(PATH, {**NEW, "connector": "pigeon"})
    assert errors(answer) == {"/connector": "invalid_choice"}
    assert ", ".join(NAMES) in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"rate_per_second": 0}, "/rate_per_second", "min_value"),
        ({"rate_per_second": -1}, "/rate_per_second", "min_value"),
        ({"rate_per_second": 100_001}, "/rate_per_second", "max_value"),
        ({"rate_per_second": None}, "/rate_per_second", "null"),
        ({"rate_per_second": "80"}, "/rate_per_second", "wrong_type"),
        ({"rate_per_second": 0.00001, "burst": 1000}, "/burst", "too_slow"),
        ({"burst": 0}, "/burst", "min_value"),
        ({"burst": 100_001}, "/burst", "max_value"),
        ({"recipient_burst": None}, "/recipient_burst", "required"),
        ({"recipient_rate_per_second": None}, "/recipient_rate_per_second", "required"),
        ({"daily_quota": 0}, "/daily_quota", "min_value"),
        ({"daily_quota": 2**31}, "/daily_quota", "max_value"),
        ({"breaker_failures": 0}, "/breaker_failures", "min_value"),
        ({"breaker_seconds": 86_401}, "/breaker_seconds", "max_value"),
        ({"retry_attempts": 21}, "/retry_attempts", "max_value"),
        ({"retry_base_ms": 600_001}, "/retry_base_ms", "max_value"),
        ({"unknown_wait": -1}, "/unknown_wait", "min_value"),
        ({"unknown_wait": 86_401}, "/unknown_wait", "max_value"),
        ({"ordering": "chaotic"}, "/ordering", "invalid_choice"),
        ({"on_unknown": "pray"}, "/on_unknown", "invalid_choice"),
        ({"name": " "}, "/name", "blank"),
        ({"name": "x" * 121}, "/name", "max_length"),
        ({"paused_at": None}, "/paused_at", "unknown_field"),
        ({"credentials": "x"}, "/credentials", "wrong_type"),
        ({"credentials": {"access_token": 5}}, "/credentials/access_token", "wrong_type"),
        ({"credentials": {"access_token": ""}}, "/credentials/access_token", "blank"),
        ({"credentials": {"token": "x"}}, "/credentials/token", "unknown_field"),
        ({"credentials": {"phone_number_id": "../me"}}, "/credentials/phone_number_id", "invalid"),
    ],
)
def test_value_that_cannot_be_is_named(
    account: ChannelAccount, owner: Api, values: dict[str, Any], pointer: str, code: str
) -> None:
    assert errors(owner.patch(f"{PATH}/{account.pk}", values)) == {pointer: code}
    account.refresh_from_db()
    assert account.version == 1


def test_new_account_needs_all_its_credentials(owner: Api) -> None:
    assert errors(owner.post(PATH, {**NEW, "credentials": {}})) == {"/credentials/phone_number_id": "required"}
    assert set(errors(owner.post(PATH, {}))) == {"/connector", "/name", "/credentials"}


def test_connector_of_an_account_stays(account: ChannelAccount, owner: Api) -> None:
    assert errors(owner.patch(f"{PATH}/{account.pk}", {"connector": "instagram"})) == {
        "/connector": "unknown_field"
    }


def test_change_leaves_the_rest_as_it_is(account: ChannelAccount, owner: Api) -> None:
    path = f"{PATH}/{account.pk}"
    before = owner.get(path).json()
    values = {
        "rate_per_second": 20,
        "recipient_rate_per_second": None,
        "recipient_burst": None,
        "daily_quota": 1000,
    }
    assert owner.patch(path, values).json() == before | values
    assert owner.patch(path, {}).json() == before | values


def test_pause_says_since_when_until_when_and_why(account: ChannelAccount, owner: Api) -> None:
    path = f"{PATH}/{account.pk}"
    until = clock.now() + timedelta(hours=2)
    paused = owner.post(path + "/pause", {"reason": "holidays", "until": until.isoformat()}).json()["paused"]
    assert paused["reason"] == "holidays"
    assert paused["until"] == until.isoformat().replace("+00:00", "Z")
    assert owner.post(path + "/pause", {"reason": "longer"}).json()["paused"]["until"] is None
    assert owner.post(path + "/resume").json()["paused"] is None
    assert owner.post(path + "/resume").json()["paused"] is None


def test_pause_that_has_run_out_is_shown_as_none(aurora: House, account: ChannelAccount, owner: Api) -> None:
    accounts.pause(aurora.principal(), account, reason="x", until=clock.now() - timedelta(seconds=1))
    assert owner.get(f"{PATH}/{account.pk}").json()["paused"] is None


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/reason", "required"),
        ({"reason": ""}, "/reason", "blank"),
        ({"reason": "x" * 501}, "/reason", "max_length"),
        ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, "/until", "in_the_past"),
        ({"reason": "x", "until": 5}, "/until", "wrong_type"),
    ],
)
def test_pause_needs_a_reason_and_ends_in_the_future(
    account: ChannelAccount, owner: Api, body: dict[str, Any], pointer: str, code: str
) -> None:
    assert errors(owner.post(f"{PATH}/{account.pk}/pause", body)) == {pointer: code}


def test_provider_is_asked_whether_the_credentials_are_good(
    aurora: House, account: ChannelAccount, owner: Api, graph: str
) -> None:
    path = f"{PATH}/{account.pk}/verify"
    assert owner.post(path).json() == {"ok": True, "error": None}
    accounts.change(aurora.principal(), account, credentials={"access_token": "EAAG-an-old-token"})
    refused = {"class": "account_rejected", "code": "190", "detail": "Malformed token [hidden]"}
    assert owner.post(path).json() == {"ok": False, "error": refused}


def test_provider_that_is_not_there_is_an_answer_too(
    account: ChannelAccount, owner: Api, graph: str, settings: Settings
) -> None:
    settings.CONNECTOR_URLS = {**settings.CONNECTOR_URLS, "whatsapp_cloud": "http://127.0.0.1:1"}
    connector.cache_clear()
    answer = owner.post(f"{PATH}/{account.pk}/verify").json()
    assert (answer["ok"], answer["error"]["class"], answer["error"]["code"]) == (False, "transient", "unreachable")


def test_address_inside_our_network_is_not_called(
    account: ChannelAccount, owner: Api, graph: str, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    error = owner.post(f"{PATH}/{account.pk}/verify").json()["error"]
    assert (error["class"], error["code"]) == ("account_rejected", "target_refused")


def test_slow_provider_does_not_keep_every_thread(
    account: ChannelAccount, owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outbound._PLACES, outbound._PLACES, outbound._PLACES, outbound._PLACES:
        answer = owner.post(f"{PATH}/{account.pk}/verify")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_verifications")
    assert answer["Retry-After"] == "5"


def test_roles_do_what_their_scopes_say(aurora: House, account: ChannelAccount) -> None:
    for member, may_write in [(aurora.viewer, False), (aurora.agent, False), (aurora.admin, True)]:
        caller = as_member(member)
        assert caller.get(f"{PATH}/{account.pk}").status_code == 200
        changed = caller.patch(f"{PATH}/{account.pk}", {"burst": 9})
        assert changed.status_code == (200 if may_write else 403)
    writer = with_key(aurora.organization, Scope.CHANNELS_WRITE)
    assert writer.get(PATH).status_code == 403
