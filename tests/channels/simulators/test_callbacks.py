"""Statuses are grouped, come again until they are taken, and none is lost or merged away."""

import asyncio
from collections import Counter

import aiohttp
import pytest

from apps.channels.simulators import callbacks
from apps.channels.simulators.app import Settings, serve
from apps.channels.simulators.delays import Delays
from local.ports import free_port
from tests.channels.simulators.stage import (
    QUICK,
    SECRET,
    Receiver,
    Stage,
    in_order_of,
    playing,
    receiving,
    until,
)


async def test_statuses_travel_together_and_all_arrive() -> None:
    async with playing(group_seconds=0.3) as stage:
        await asyncio.gather(*(stage.whatsapp(f"m-{number}") for number in range(250)))
        tally = await stage.settled()
        assert tally["callbacks"] == {"posted": 750, "failed": 0, "pending": 0}
        told = Counter(
            (status["biz_opaque_callback_data"], status["status"]) for status in stage.receiver.statuses
        )
        assert len(told) == 750
        assert set(told.values()) == {1}
        assert max(len(callback.statuses) for callback in stage.receiver.callbacks) == 100
        # 750 statuses, over two or three collections that begin and end where the clock says.
        assert len(stage.receiver.callbacks) <= 14


async def test_statuses_of_one_group_are_in_order(stage: Stage) -> None:
    await stage.ask("PUT", "/control/delays", {"sent_after": 0.01, "delivered_after": 0.01, "read_after": 0.01})
    for number in range(20):
        await stage.whatsapp(f"m-{number}")
    await stage.settled()
    for number in range(20):
        assert in_order_of(stage.receiver.statuses, f"m-{number}") == ["sent", "delivered", "read"]


async def test_accounts_share_a_callback_and_stay_apart_in_it() -> None:
    async with playing(group_seconds=0.3) as stage:
        for key in ("1-a", "2-a", "1-b"):
            await stage.whatsapp(key, number=key[0])
        await stage.settled()
        seen = set()
        for callback in stage.receiver.callbacks:
            numbers = []
            for entry in callback.document["entry"]:
                value = entry["changes"][0]["value"]
                number = value["metadata"]["phone_number_id"]
                numbers.append(number)
                seen |= {(number, status["biz_opaque_callback_data"]) for status in value["statuses"]}
            assert len(numbers) == len(set(numbers)), "one entry for an account"
        assert seen == {("1", "1-a"), ("2", "2-a"), ("1", "1-b")}
        assert any(len(callback.document["entry"]) == 2 for callback in stage.receiver.callbacks)


@pytest.mark.parametrize("refusal", [302, 404, 503])
async def test_callback_that_is_not_taken_comes_again_byte_by_byte(stage: Stage, refusal: int) -> None:
    stage.receiver.answers = [refusal, refusal]
    await stage.ask("PUT", "/control/delays", {"sent_after": 0, "delivered_after": 0, "read_after": 0})
    await stage.whatsapp("m-1")
    tally = await stage.settled()
    assert tally["callbacks"] == {"posted": 3, "failed": 0, "pending": 0}
    assert len(stage.receiver.callbacks) == 3
    assert len({callback.body for callback in stage.receiver.callbacks}) == 1
    assert len({callback.headers["X-Hub-Signature-256"] for callback in stage.receiver.callbacks}) == 1


async def test_callback_that_is_put_off_lets_others_past(stage: Stage) -> None:
    stage.receiver.answers = [503]
    await stage.whatsapp("m-1")
    await until(lambda: len(in_order_of(stage.receiver.statuses, "m-1")) == 4)
    assert in_order_of(stage.receiver.statuses, "m-1") == ["sent", "delivered", "read", "sent"]


async def test_callback_that_is_never_taken_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with playing(retry_seconds=0.15) as stage:
        stage.receiver.answers = [500] * 100
        await stage.whatsapp("m-1")
        tally = await stage.settled()
        assert tally["callbacks"] == {"posted": 0, "failed": 3, "pending": 0}
        stage.receiver.answers = []
        await stage.whatsapp("m-2")
        assert (await stage.settled())["callbacks"] == {"posted": 3, "failed": 3, "pending": 0}
    words = [record.getMessage() for record in caplog.records]
    assert len([line for line in words if "does not take callbacks (answer 500)" in line]) == 1
    assert len([line for line in words if "takes callbacks again" in line]) == 1
    assert any("gave up" in line for line in words)


async def test_receiver_that_is_away_gets_everything_when_it_is_back() -> None:
    port = free_port()
    settings = Settings(f"http://127.0.0.1:{port}/hooks", SECRET, QUICK, group_seconds=0.01)
    async with aiohttp.ClientSession() as session, serve(settings) as url:
        away = Stage(url, Receiver(), session)
        answers = await asyncio.gather(*(away.whatsapp(f"m-{number}") for number in range(20)))
        assert {answer.status for answer in answers} == {200}
        async with receiving(port) as receiver:
            assert (await away.settled())["callbacks"] == {"posted": 60, "failed": 0, "pending": 0}
            assert len(receiver.statuses) == 60


async def test_only_a_handful_of_callbacks_are_under_way_at_once() -> None:
    async with playing(delays=QUICK, group_seconds=0.002) as stage:
        stage.receiver.open.clear()
        for number in range(30):
            await stage.whatsapp(f"m-{number}")
        await until(lambda: stage.receiver.waiting == callbacks.MOST_POSTS_AT_ONCE)
        await asyncio.sleep(0.03)
        assert stage.receiver.most_waiting == callbacks.MOST_POSTS_AT_ONCE
        stage.receiver.open.set()
        assert (await stage.settled())["callbacks"]["posted"] == 90
        assert stage.receiver.most_waiting == callbacks.MOST_POSTS_AT_ONCE


async def test_receiver_that_stays_away_does_not_fill_the_memory(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "MOST_PENDING", 7)
    stage.receiver.open.clear()
    for number in range(5):
        assert (await stage.whatsapp(f"m-{number}")).status == 200
    assert (await stage.tally())["callbacks"] == {"posted": 0, "failed": 8, "pending": 7}
    await stage.order({"kind": "callbacks_first"})
    assert (await stage.whatsapp("m-6")).status == 200
    assert (await stage.tally())["callbacks"]["failed"] == 11
    stage.receiver.open.set()
    assert (await stage.settled())["callbacks"] == {"posted": 7, "failed": 11, "pending": 0}


async def test_receiver_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "_POST_SECONDS", 0.1)
    async with playing(delays=Delays(0, 0, 0, 0)) as stage:
        stage.receiver.open.clear()
        await stage.whatsapp("m-1")
        await until(lambda: len(stage.receiver.callbacks) == 2)
        stage.receiver.open.set()
        assert (await stage.settled())["callbacks"] == {"posted": 3, "failed": 0, "pending": 0}
