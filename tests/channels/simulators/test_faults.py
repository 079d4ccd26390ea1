"""Each thing that can go wrong, and for whom."""

import asyncio
from base64 import b64encode
from collections.abc import Callable

import aiohttp
import pytest

from tests.channels.simulators.stage import (
    ANA,
    BRUNO,
    IG_ID,
    NUMBER,
    TOKEN,
    Answer,
    Stage,
    in_order_of,
    until,
    whatsapp_body,
)

OTHER_NUMBER = "109000000000002"

REFUSALS = [
    ("whatsapp", "rate_limited", 429, 130429),
    ("whatsapp", "pair_rate_limited", 429, 131056),
    ("whatsapp", "server_error", 500, 131000),
    ("whatsapp", "blocked", 400, 131026),
    ("whatsapp", "opted_out", 400, 131050),
    ("whatsapp", "invalid_token", 401, 190),
    ("instagram", "rate_limited", 429, 613),
    ("instagram", "pair_rate_limited", 429, 613),
    ("instagram", "server_error", 500, 2),
    ("instagram", "blocked", 400, 551),
    ("instagram", "opted_out", 400, 551),
    ("instagram", "invalid_token", 401, 190),
]


async def send(stage: Stage, provider: str, key: str, **more: str) -> Answer:
    return await (stage.whatsapp(key, **more) if provider == "whatsapp" else stage.instagram(key, **more))


async def show(stage: Stage, provider: str) -> Answer:
    path = f"/whatsapp/v23.0/{NUMBER}" if provider == "whatsapp" else "/instagram/v23.0/me"
    return await stage.ask("GET", path)


@pytest.mark.parametrize(("provider", "kind", "status", "code"), REFUSALS)
async def test_refused_message_is_not_received(
    stage: Stage, provider: str, kind: str, status: int, code: int
) -> None:
    await stage.order({"kind": kind, "times": 1})
    refused = await send(stage, provider, "m-1")
    assert (refused.status, refused.code) == (status, code)
    assert ("Retry-After" in refused.headers) == (status == 429)
    assert (await send(stage, provider, "m-2")).status == 200
    tally = await stage.settled()
    assert (tally["accepted"], tally["refused_by_kind"], tally["cut"]) == (1, {kind: 1}, 0)
    assert await stage.received(ANA) == ["m-2"]
    assert {status.get("biz_opaque_callback_data") for status in stage.receiver.statuses} <= {"m-2"}


async def test_retry_after_is_as_ordered(stage: Stage) -> None:
    await stage.order({"kind": "rate_limited", "retry_after": 17})
    assert (await stage.whatsapp()).headers["Retry-After"] == "17"


@pytest.mark.parametrize("provider", ["whatsapp", "instagram"])
async def test_connection_cut_before_leaves_nothing_received(stage: Stage, provider: str) -> None:
    await stage.order({"kind": "cut_before", "times": 1})
    with pytest.raises(aiohttp.ClientConnectionError):
        await send(stage, provider, "m-1")
    tally = await stage.settled()
    assert (tally["requests"], tally["accepted"], tally["cut"]) == (1, 0, 1)
    assert stage.receiver.callbacks == []


@pytest.mark.parametrize("provider", ["whatsapp", "instagram"])
async def test_connection_cut_after_leaves_the_message_received_and_called_back(
    stage: Stage, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.order({"kind": "cut_after", "times": 1})
    with pytest.raises(aiohttp.ClientConnectionError):
        await send(stage, provider, "m-1")
    assert (await send(stage, provider, "m-1")).status == 200
    tally = await stage.settled()
    assert (tally["accepted"], tally["doubled"], tally["cut"]) == (2, {"m-1": 2}, 1)
    assert len(stage.receiver.statuses) + len(stage.receiver.events) == (6 if provider == "whatsapp" else 4)
    assert caplog.records == []


async def test_slow_answer_delays_no_other(stage: Stage) -> None:
    await stage.order({"kind": "slow", "seconds": 0.2, "to": ANA})
    slow = asyncio.create_task(stage.whatsapp("m-1", to=ANA))
    assert (await stage.whatsapp("m-2", to=BRUNO)).status == 200
    assert not slow.done()
    assert (await slow).status == 200


async def test_sender_who_gives_up_waiting_has_sent_it(stage: Stage) -> None:
    await stage.order({"kind": "slow", "seconds": 0.1})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await stage.whatsapp("m-1")
    await until(lambda: in_order_of(stage.receiver.statuses, "m-1") == ["sent", "delivered", "read"])
    assert await stage.received(ANA) == ["m-1"]


async def test_statuses_wait_for_a_slow_answer(stage: Stage) -> None:
    await stage.order({"kind": "slow", "seconds": 0.15})
    await stage.whatsapp("m-1")
    assert stage.receiver.callbacks == []
    await until(lambda: len(stage.receiver.statuses) == 3)


async def test_slow_refusal_is_both(stage: Stage) -> None:
    await stage.order({"kind": "server_error"}, {"kind": "slow", "seconds": 0.05})
    began = asyncio.get_running_loop().time()
    assert (await stage.whatsapp()).status == 500
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_duplicates_come_in_callbacks_of_their_own(stage: Stage) -> None:
    await stage.order({"kind": "duplicate_callbacks"})
    await stage.whatsapp("m-1")
    assert (await stage.settled())["callbacks"]["posted"] == 6
    assert sorted(stage.receiver.words()) == ["delivered", "delivered", "read", "read", "sent", "sent"]
    assert all(
        len({status["status"] for status in callback.statuses}) == len(callback.statuses)
        for callback in stage.receiver.callbacks
    )


async def test_reordered_callbacks_tell_the_end_first(stage: Stage) -> None:
    await stage.order({"kind": "reordered_callbacks"})
    await stage.whatsapp("m-1")
    await stage.settled()
    assert stage.receiver.words() == ["read", "delivered", "sent"]
    stamps = [int(status["timestamp"]) for status in stage.receiver.statuses]
    assert stamps == sorted(stamps, reverse=True)
    await stage.instagram("m-2")
    await stage.settled()
    assert ["read" in event for event in stage.receiver.events] == [True, False]


@pytest.mark.parametrize("provider", ["whatsapp", "instagram"])
async def test_callbacks_first_are_taken_before_the_answer(stage: Stage, provider: str) -> None:
    await stage.order({"kind": "callbacks_first"})
    stage.receiver.open.clear()
    sending = asyncio.create_task(send(stage, provider, "m-1"))
    await until(lambda: stage.receiver.waiting == 1)
    await asyncio.sleep(0.02)
    assert not sending.done()
    stage.receiver.open.set()
    assert (await sending).status == 200
    assert len(stage.receiver.statuses) + len(stage.receiver.events) == (3 if provider == "whatsapp" else 2)
    assert (await stage.tally())["callbacks"]["pending"] == 0


async def test_callbacks_first_that_are_refused_do_not_keep_the_answer(stage: Stage) -> None:
    await stage.order({"kind": "callbacks_first"})
    stage.receiver.answers = [503]
    assert (await stage.whatsapp("m-1")).status == 200
    assert (await stage.settled())["callbacks"]["posted"] == 3
    assert stage.receiver.callbacks[0].body == stage.receiver.callbacks[1].body


async def test_callbacks_first_may_be_out_of_order_and_without_an_answer(stage: Stage) -> None:
    await stage.order({"kind": "callbacks_first"}, {"kind": "reordered_callbacks"}, {"kind": "cut_after"})
    with pytest.raises(aiohttp.ClientConnectionError):
        await stage.whatsapp("m-1")
    assert stage.receiver.words() == ["read", "delivered", "sent"]


async def test_without_callbacks_nothing_is_told(stage: Stage) -> None:
    await stage.order({"kind": "no_callbacks", "times": 1})
    assert (await stage.whatsapp("silent")).status == 200
    assert (await stage.whatsapp("told")).status == 200
    await stage.settled()
    assert {status["biz_opaque_callback_data"] for status in stage.receiver.statuses} == {"told"}


async def test_fault_for_a_recipient_spares_others(stage: Stage) -> None:
    await stage.order({"kind": "blocked", "to": ANA})
    assert [(await stage.whatsapp(to=to)).status for to in (ANA, BRUNO, ANA)] == [400, 200, 400]
    assert [(await stage.instagram(to=to)).status for to in (ANA, BRUNO)] == [400, 200]


async def test_fault_for_an_account_spares_others(stage: Stage) -> None:
    await stage.order(
        {"kind": "server_error", "provider": "whatsapp", "account": NUMBER},
        {"kind": "rate_limited", "provider": "instagram", "account": IG_ID},
    )
    assert [(await stage.whatsapp(number=number)).status for number in (NUMBER, OTHER_NUMBER, IG_ID)] == [
        500,
        200,
        200,
    ]
    assert [(await stage.instagram(ig_id=ig_id)).status for ig_id in (IG_ID, "17", NUMBER)] == [429, 200, 200]


async def test_fault_for_a_recipient_of_an_account_needs_both(stage: Stage) -> None:
    await stage.order({"kind": "blocked", "provider": "whatsapp", "account": NUMBER, "to": ANA})
    pairs = [(NUMBER, ANA), (NUMBER, BRUNO), (OTHER_NUMBER, ANA)]
    assert [(await stage.whatsapp(number=number, to=to)).status for number, to in pairs] == [400, 200, 200]


async def test_fault_is_over_after_so_many_times(stage: Stage) -> None:
    await stage.order({"kind": "server_error", "times": 2})
    assert [(await stage.whatsapp()).status for _ in range(4)] == [500, 500, 200, 200]
    shown = (await stage.ask("GET", "/control/faults")).document
    assert shown == [{"kind": "server_error", "times": 2, "struck": 2, "over": True}]


async def test_fault_is_over_after_its_time(stage: Stage) -> None:
    await stage.order({"kind": "server_error", "for_seconds": 0.1})
    assert (await stage.whatsapp()).status == 500
    deadline = asyncio.get_running_loop().time() + 5
    while (await stage.whatsapp()).status == 500:
        assert asyncio.get_running_loop().time() < deadline
    assert (await stage.ask("GET", "/control/faults")).document[0]["over"] is True


async def test_rate_is_the_share_that_is_struck(stage: Stage) -> None:
    await stage.order({"kind": "server_error", "rate": 0})
    assert (await stage.whatsapp()).status == 200
    await stage.order({"kind": "server_error", "rate": 0.5})
    statuses = [(await stage.whatsapp()).status for _ in range(200)]
    # Further off than this once in ten billion runs.
    assert 55 <= statuses.count(500) <= 145


async def test_refused_message_uses_up_nothing_that_comes_after_acceptance(stage: Stage) -> None:
    await stage.order({"kind": "no_callbacks", "times": 1}, {"kind": "server_error", "times": 1})
    assert [(await stage.whatsapp(key)).status for key in ("m-1", "m-2", "m-3")] == [500, 200, 200]
    await stage.settled()
    assert {status["biz_opaque_callback_data"] for status in stage.receiver.statuses} == {"m-3"}


async def test_first_of_two_refusals_wins_and_the_other_is_not_used_up(stage: Stage) -> None:
    await stage.order({"kind": "blocked", "times": 1}, {"kind": "server_error", "times": 1})
    assert [(await stage.whatsapp()).status for _ in range(3)] == [400, 500, 200]


@pytest.mark.parametrize("provider", ["whatsapp", "instagram"])
@pytest.mark.parametrize(
    ("kind", "status"), [("invalid_token", 401), ("server_error", 500), ("rate_limited", 429)]
)
async def test_account_in_trouble_shows_it_when_its_credentials_are_checked(
    stage: Stage, provider: str, kind: str, status: int
) -> None:
    await stage.order({"kind": kind, "times": 1})
    assert (await show(stage, provider)).status == status
    assert (await show(stage, provider)).status == 200


async def test_check_of_credentials_can_be_cut_off_and_slow(stage: Stage) -> None:
    await stage.order({"kind": "cut_before"})  # without an end: aiohttp's client asks a second time by itself
    with pytest.raises(aiohttp.ClientConnectionError):
        await show(stage, "whatsapp")
    await stage.order({"kind": "slow", "seconds": 0.05})
    began = asyncio.get_running_loop().time()
    assert (await show(stage, "whatsapp")).status == 200
    assert asyncio.get_running_loop().time() - began >= 0.05


@pytest.mark.parametrize("kind", ["blocked", "opted_out", "pair_rate_limited", "cut_after", "no_callbacks"])
async def test_what_befalls_messages_spares_checks_of_credentials(stage: Stage, kind: str) -> None:
    await stage.order({"kind": kind}, {"kind": "server_error", "to": ANA})
    assert (await show(stage, "whatsapp")).status == 200
    assert (await stage.ask("GET", "/control/faults")).document[0]["struck"] == 0


async def test_removed_faults_strike_no_more(stage: Stage) -> None:
    await stage.order({"kind": "server_error"})
    assert (await stage.ask("DELETE", "/control/faults")).document == []
    assert (await stage.whatsapp()).status == 200


SID = "AC" + "0" * 32


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{SID}:{password}".encode()).decode()}


# Where each is asked for the account's facts, and what comes with the request.
PROVED_BY: dict[str, Callable[[str], tuple[str, dict[str, str]]]] = {
    "whatsapp": lambda token: (f"/whatsapp/v23.0/{NUMBER}", {"Authorization": f"Bearer {token}"}),
    "instagram": lambda token: (f"/instagram/v23.0/{IG_ID}", {"Authorization": f"Bearer {token}"}),
    "telegram": lambda token: (f"/telegram/bot{token}/getMe", {}),
    "twilio": lambda token: (f"/twilio/2010-04-01/Accounts/{SID}.json", basic(token)),
    "evolution": lambda token: ("/evolution/instance/connectionState/balcao", {"apikey": token}),
}


@pytest.mark.parametrize("provider", PROVED_BY)
async def test_revoked_token_is_refused_and_the_next_one_taken(stage: Stage, provider: str) -> None:
    old, new = (f"700100200:{word}-token-of-the-bot-of-the-bakery" for word in ("old", "new"))
    await stage.order({"kind": "invalid_token", "token": old})
    statuses = []
    for token in (old, new, old):
        path, headers = PROVED_BY[provider](token)
        async with stage.session.get(stage.url + path, headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [401, 200, 401]


async def test_message_under_a_revoked_token_is_not_received(stage: Stage) -> None:
    await stage.order({"kind": "invalid_token", "token": TOKEN.removeprefix("Bearer ")})
    body, path = whatsapp_body("m-1"), f"/whatsapp/v23.0/{NUMBER}/messages"
    assert (await stage.ask("POST", path, body)).status == 401
    assert (await stage.ask("POST", path, body, token="Bearer another")).status == 200
    assert (await stage.settled())["refused_by_kind"] == {"invalid_token": 1}
