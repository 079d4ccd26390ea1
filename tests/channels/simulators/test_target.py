"""Targets of webhooks: they believe what is signed, and count it."""

import time
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook as Library

from apps.channels.connector import Outbound
from apps.channels.connectors.webhook import Webhook
from apps.channels.content import Content
from apps.channels.errors import (
    MessageRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.simulators.target import secret_of
from apps.core import standard_webhooks
from apps.core.ids import new_id
from tests.channels.loopback_provider import client
from tests.channels.simulators.stage import SECRET, Stage

BODY = orjson.dumps({"type": "message", "data": {"text": "Olá"}})


async def send(stage: Stage, secret: str | None = None, name: str = "ana") -> str:
    wanted = Outbound(
        new_id(), f"{stage.url}/target/{name}", Content("Olá"), {"signing_secret": secret or secret_of(SECRET)}
    )
    async with client() as http:
        return await Webhook("").send(http, wanted)


async def post(stage: Stage, headers: dict[str, str], body: bytes = BODY) -> int:
    async with stage.session.post(f"{stage.url}/target/ana", data=body, headers=headers) as answer:
        return answer.status


def signed(**changes: str) -> dict[str, str]:
    headers = standard_webhooks.headers([secret_of(SECRET)], "msg_1", int(time.time()), BODY)
    return headers | {name.replace("_", "-"): value for name, value in changes.items()}


async def test_signed_webhook_is_taken_and_counted(stage: Stage) -> None:
    message_id = await send(stage)
    tally = await stage.tally()
    assert (tally["accepted"], tally["refused_by_kind"]) == (1, {})
    assert await stage.received(f"{stage.url}/target/ana") == [message_id]


async def test_second_webhook_of_an_id_is_seen(stage: Stage) -> None:
    assert [await post(stage, signed()), await post(stage, signed())] == [204, 204]
    assert (await stage.tally())["doubled"] == {"msg_1": 2}


async def test_secret_is_one_that_every_library_takes() -> None:
    assert standard_webhooks.is_secret(secret_of(SECRET))
    assert Library(secret_of(SECRET)).verify(BODY, signed())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(webhook_id="msg_2"),
        signed(webhook_signature="v1,AAAA"),
        signed(webhook_signature=""),
        signed(webhook_timestamp="0"),
        signed(webhook_timestamp="soon"),
        standard_webhooks.headers([secret_of(SECRET)], "msg_1", int(time.time()) - 3600, BODY),
    ],
)
async def test_webhook_that_is_not_signed_is_refused(stage: Stage, headers: dict[str, str]) -> None:
    assert await post(stage, headers) == 401
    tally = await stage.tally()
    assert (tally["accepted"], tally["refused_by_kind"]) == (0, {"unsigned": 1})


async def test_one_good_signature_among_others_is_enough(stage: Stage) -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1,AAAA v2,x {headers['webhook-signature']}"
    assert await post(stage, headers) == 204


async def test_other_secret_is_refused(stage: Stage) -> None:
    with pytest.raises(MessageRejected):
        await send(stage, standard_webhooks.new_secret())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"nonsense", b'{"data": "x"}', b'{"data": {"text": 1}}'])
async def test_signed_nonsense_is_refused(stage: Stage, body: bytes) -> None:
    headers = standard_webhooks.headers([secret_of(SECRET)], "msg_1", int(time.time()), body)
    assert await post(stage, headers, body) == 400


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ({"kind": "server_error"}, Transient, 0),
        ({"kind": "rate_limited", "retry_after": 17}, RateLimited, 0),
        ({"kind": "blocked"}, MessageRejected, 0),
        ({"kind": "opted_out"}, RecipientRejected, 0),
        ({"kind": "invalid_token"}, MessageRejected, 0),
        ({"kind": "cut_before"}, OutcomeUnknown, 0),
        ({"kind": "cut_after"}, OutcomeUnknown, 1),
    ],
)
async def test_fault_is_understood(
    stage: Stage, fault: dict[str, Any], error: type[SendFailed], accepted: int
) -> None:
    await stage.order({**fault, "provider": "target", "account": "ana"})
    with pytest.raises(error):
        await send(stage)
    await send(stage, name="bia")
    assert (await stage.tally())["accepted"] == accepted + 1
