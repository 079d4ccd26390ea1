"""What a provider said is kept without our secrets, however it wrote them."""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from apps.channels.errors import Heard, SendFailed
from apps.channels.hiding import without
from apps.channels.registry import connector
from apps.core.guarded_http import Answer
from tests.cast import CREDENTIALS

TOKEN = CREDENTIALS["whatsapp_cloud"]["access_token"]
ODD = 'my"api&key+of=the<house/'


class Says:
    """A provider that answers so, whatever it is asked."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def request(self, *_: object, **__: object) -> Answer:
        return Answer(400, {}, self.body)


async def heard_by(name: str, body: bytes) -> str:
    credentials = CREDENTIALS[name]
    with pytest.raises(SendFailed) as failed:
        await connector(name).check(Says(body), credentials)  # type: ignore[arg-type]
    assert isinstance(failed.value.heard, Heard)
    return failed.value.heard.body + failed.value.detail


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16", "utf-32-le"])
async def test_whatever_the_letters_are_made_of(coding: str) -> None:
    said = await heard_by("whatsapp_cloud", f"bad token {TOKEN}".encode(coding))
    assert TOKEN not in said
    assert "hidden" in said


async def test_token_without_the_name_before_it_and_in_an_address() -> None:
    token = CREDENTIALS["telegram"]["bot_token"]
    for written in (token, quote(token, safe=""), quote(token, safe="").lower(), token.partition(":")[2]):
        said = await heard_by("telegram", f"no route /bot{written}/sendMessage".encode())
        assert "telegram-token-of-the-house" not in said


async def test_what_is_made_of_secrets() -> None:
    account = CREDENTIALS["sms"]
    pair = b64encode(f"{account['account_sid']}:{account['auth_token']}".encode())
    said = await heard_by("sms", b"Authorization: Basic " + pair)
    assert pair.decode() not in said


IN_HTML = ODD.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
IN_A_PAGE = ODD.replace("&", "\\u0026").replace("<", "\\u003c").replace('"', "\\u0022")
WAYS = [ODD, quote(ODD), quote(ODD, safe=""), json.dumps(ODD)[1:-1], ODD.replace("/", "\\/"), IN_HTML, IN_A_PAGE]


@pytest.mark.parametrize("written", WAYS)
def test_odd_signs_are_written_in_many_ways(written: str) -> None:
    assert without(f"key: {written}!".encode(), [ODD]) == b"key: [hidden]!"


def test_ordinary_words_stay() -> None:
    assert without(b"short is short", ["short", ""]) == b"short is short"
