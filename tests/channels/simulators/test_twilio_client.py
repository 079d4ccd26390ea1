"""Twilio's own library against the simulated Twilio: what it understands and believes, others do too."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from apps.channels.signatures import is_twilios, of_twilio
from tests.channels.loopback_provider import provider
from tests.channels.simulators.stage import Stage, until

SID = "AC" + "7" * 32
TOKEN = "the token of the account"
ANA, PADARIA = "+5511988880001", "+15005550006"


class HttpToSimulator(TwilioHttpClient):  # type: ignore[misc]
    """To the simulator, instead of api.twilio.com."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.session.trust_env = False  # no proxy stands before this machine
        self.url = url

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.url), *args, **more)


@pytest.fixture
def library(stage: Stage) -> Iterator[Client]:
    http = HttpToSimulator(f"{stage.url}/twilio")
    yield Client(SID, TOKEN, http_client=http)
    http.session.close()


async def send(library: Client, **changes: Any) -> Any:
    """It waits for answers that this very thread gives: elsewhere, therefore."""
    message = {"to": ANA, "from_": PADARIA, "body": "Seu pão"} | changes
    return await asyncio.to_thread(library.messages.create, **message)


async def test_library_reads_what_became_of_its_message(library: Client) -> None:
    before = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the simulator's clock is the real one
    sent = await send(library, media_url=["https://files.example/a.png"])
    assert (sent.to, sent.from_, sent.body, sent.status) == (ANA, PADARIA, "Seu pão", "queued")
    assert (sent.account_sid, sent.num_media, sent.error_code) == (SID, "1", None)
    assert sent.date_created >= before
    account = await asyncio.to_thread(library.api.accounts(SID).fetch)
    assert (account.sid, account.status) == (SID, "active")


async def test_library_understands_a_refusal(stage: Stage, library: Client) -> None:
    await stage.order({"kind": "opted_out"})
    with pytest.raises(TwilioRestException) as refused:
        await send(library)
    assert (refused.value.status, refused.value.code) == (400, 21610)


async def test_library_believes_the_callbacks(stage: Stage, library: Client) -> None:
    called: list[tuple[str, str, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        called.append((str(request.url), request.headers["X-Twilio-Signature"], await request.read()))
        return web.Response(status=204)

    async with provider(handler) as url:
        callback_url = f"{url}/hooks/sms/1?message=7"
        await send(library, status_callback=callback_url)
        await until(lambda: len(called) == 2)
        number = library.incoming_phone_numbers("PN" + "0" * 32)
        changed = await asyncio.to_thread(number.update, sms_url=f"{url}/written")
        assert changed.sms_url == f"{url}/written"
        said = {"provider": "twilio", "account": SID, "from": ANA, "text": "Oi & até"}
        assert (await stage.ask("POST", "/control/say", said)).status == 202

    assert [each for each, _, _ in called] == [callback_url, callback_url, f"{url}/written"]
    for address, signature, body in called:
        fields = parse_qsl(body.decode(), keep_blank_values=True)
        assert RequestValidator(TOKEN).validate(address, MultiDict(fields), signature)
        assert not RequestValidator("another").validate(address, MultiDict(fields), signature)
        assert is_twilios(address, fields, TOKEN, signature)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.sampled_from(["https", "http"]),
    st.sampled_from(["", ":80", ":443", ":8443"]),
    st.sampled_from(["/", "/hooks/sms/1?message=7", "/a%20b?x=é&y=%2F"]),
    st.lists(st.tuples(st.sampled_from(["Body", "From", "From2", ""]) | TEXTS, TEXTS), max_size=6),
)
def test_signature_is_the_librarys(scheme: str, port: str, path: str, fields: list[tuple[str, str]]) -> None:
    """With names that come twice, values that are empty, and ports that Twilio signs or leaves out."""
    url, values = f"{scheme}://recado.example{port}{path}", MultiDict(fields)
    validator = RequestValidator(TOKEN)
    assert of_twilio(url, fields, TOKEN) == validator.compute_signature(url, values)
    other_port = url.replace(port, "", 1) if port else url.replace(".example", f".example:{_default(scheme)}")
    for signed in (url, other_port):
        signature = validator.compute_signature(signed, values)
        assert is_twilios(url, fields, TOKEN, signature) == validator.validate(url, values, signature)
        assert not is_twilios(url, [*fields, ("Body", "one more")], TOKEN, signature)
        assert not is_twilios(f"{url}x", fields, TOKEN, signature)


def _default(scheme: str) -> int:
    return 443 if scheme == "https" else 80
