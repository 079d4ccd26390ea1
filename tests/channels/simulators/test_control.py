"""What the control API says was accepted is what a person would have received; what it cannot read it refuses."""

import asyncio
import time
from typing import Any

import orjson
import pytest

from apps.channels.simulators import tally as tally_module
from apps.channels.simulators.faults import MOST_FAULTS
from apps.channels.simulators.tally import Tally
from tests.channels.simulators.stage import ANA, BRUNO, IG_ID, NUMBER, Stage, playing


async def lines(stage: Stage) -> list[dict[str, Any]]:
    answer = await stage.ask("GET", "/control/received")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [orjson.loads(line) for line in answer.document.splitlines()]


async def test_healthz_answers(stage: Stage) -> None:
    answer = await stage.ask("GET", "/control/healthz")
    assert (answer.status, answer.document) == (200, {"status": "ok"})


async def test_tally_of_nothing(stage: Stage) -> None:
    assert await stage.tally() == {
        "accepted": 0,
        "distinct": 0,
        "doubled": {},
        "requests": 0,
        "refused_by_kind": {},
        "cut": 0,
        "truncated": False,
        "callbacks": {"posted": 0, "failed": 0, "pending": 0},
    }


async def test_tally_accounts_for_every_request(stage: Stage) -> None:
    await stage.order({"kind": "server_error", "times": 1}, {"kind": "blocked", "to": BRUNO})
    for key, to in [("m-1", ANA), ("m-1", ANA), ("m-2", BRUNO), ("m-1", ANA), ("m-3", ANA)]:
        await stage.whatsapp(key, to=to)
    await stage.ask("POST", f"/whatsapp/v23.0/{NUMBER}/messages", {})
    tally = await stage.settled()
    assert tally == {
        "accepted": 3,
        "distinct": 2,
        "doubled": {"m-1": 2},
        "requests": 6,
        "refused_by_kind": {"server_error": 1, "blocked": 1, "malformed": 1},
        "cut": 0,
        "truncated": False,
        "callbacks": {"posted": 9, "failed": 0, "pending": 0},
    }


async def test_recipient_sees_messages_in_order_of_acceptance(stage: Stage) -> None:
    for number in range(5):
        await stage.whatsapp(f"m-{number}", to=ANA if number % 2 else BRUNO)
    assert await stage.received(ANA) == ["m-1", "m-3"]
    assert await stage.received(BRUNO) == ["m-0", "m-2", "m-4"]
    assert await stage.received("nobody") == []


async def test_log_says_who_received_what_and_when(stage: Stage) -> None:
    await stage.whatsapp("m-1", text='Olá\n"Ana"')
    await stage.instagram("Oi", to=BRUNO)
    first, second = await lines(stage)
    assert time.time() - 60 < first.pop("at") <= second.pop("at") <= time.time()
    assert first == {
        "provider": "whatsapp",
        "account": NUMBER,
        "to": ANA,
        "key": "m-1",
        "text": 'Olá\n"Ana"',
    }
    assert second == {"provider": "instagram", "account": IG_ID, "to": BRUNO, "key": "Oi", "text": "Oi"}


async def test_long_log_is_whole_while_messages_keep_coming(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.channels.simulators.control._PIECE", 3)
    await asyncio.gather(*(stage.whatsapp(f"m-{number}") for number in range(40)))
    told, *_ = await asyncio.gather(lines(stage), *(stage.whatsapp(f"n-{number}") for number in range(40)))
    keys = [line["key"] for line in told]
    assert {f"m-{number}" for number in range(40)} <= set(keys)
    assert len(keys) == len(set(keys))


async def test_forgotten_tally_starts_anew(stage: Stage) -> None:
    await stage.whatsapp("m-1")
    await stage.settled()
    tally = (await stage.ask("DELETE", "/control/tally")).document
    assert (tally["accepted"], tally["requests"], tally["callbacks"]["posted"]) == (0, 0, 0)
    assert await lines(stage) == []
    await stage.whatsapp("m-1")
    assert (await stage.tally())["doubled"] == {}


async def test_status_pending_when_the_tally_is_forgotten_is_still_posted() -> None:
    async with playing() as stage:
        await stage.ask("PUT", "/control/delays", {"sent_after": 0.1, "delivered_after": 0.1, "read_after": 0.1})
        await stage.whatsapp("m-1")
        assert (await stage.ask("DELETE", "/control/tally")).document["callbacks"]["pending"] == 3
        assert (await stage.settled())["callbacks"] == {"posted": 3, "failed": 0, "pending": 0}


async def test_full_log_drops_the_oldest_and_says_so() -> None:
    async with playing(most_logged=3) as stage:
        for key in ("m-1", "m-2", "m-1", "m-3"):
            await stage.whatsapp(key)
        tally = await stage.tally()
        assert (tally["accepted"], tally["distinct"], tally["truncated"]) == (4, 3, True)
        assert tally["doubled"] == {"m-1": 2}, "what was found stays found"
        assert await stage.received(ANA) == ["m-2", "m-1", "m-3"]


def test_key_that_was_dropped_is_remembered_no_longer() -> None:
    tally = Tally(most_entries=2)
    for key in ("m-1", "m-2", "m-3", "m-1"):
        tally.accept("whatsapp", NUMBER, ANA, key, "")
    summary = tally.summary()
    assert (summary["distinct"], summary["doubled"], summary["truncated"]) == (4, {}, True)


def test_tally_bounds_what_long_texts_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "_MOST_CHARACTERS", 1000)
    tally = Tally(most_entries=100)
    for number in range(20):
        tally.accept("whatsapp", NUMBER, ANA, f"m-{number:02}", "a" * 200)
    assert [entry[4] for entry in tally.entries()] == ["m-16", "m-17", "m-18", "m-19"]
    assert tally.truncated


def test_tally_shows_a_bounded_number_of_doubled_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "_MOST_DOUBLED", 1500)
    tally = Tally(most_entries=10_000)
    for _ in range(3):
        for number in range(2000):
            tally.accept("whatsapp", NUMBER, ANA, f"m-{number}", "")
    doubled = tally.summary()["doubled"]
    assert len(doubled) == tally_module.MOST_SHOWN
    assert set(doubled.values()) == {3}
    assert tally.accepted - tally.distinct == 4000


async def hear(stage: Stage, bot: str) -> None:
    webhook = f"setWebhook?url={stage.receiver.url}/telegram"
    answer = await stage.ask("POST", f"/telegram/bot{bot}:token-of-a-bot-that-hears/{webhook}")
    assert answer.status == 200, answer.document


async def test_person_writes_to_the_only_account_without_naming_it(stage: Stage) -> None:
    said = {"provider": "telegram", "from": "7012345601", "text": "Oi!"}
    nobody = await stage.ask("POST", "/control/say", said)
    assert (nobody.status, nobody.document) == (
        400,
        {"error": "account is needed: telegram knows 0 by itself"},
    )
    await hear(stage, "100200300")
    assert (await stage.ask("POST", "/control/say", said)).status == 202
    (callback,) = stage.receiver.callbacks
    assert callback.document["message"]["text"] == "Oi!"
    await hear(stage, "100200301")
    assert (await stage.ask("POST", "/control/say", said)).status == 400
    assert (await stage.ask("POST", "/control/say", said | {"provider": "whatsapp"})).status == 400


async def test_delays_change_while_it_runs(stage: Stage) -> None:
    changed = await stage.ask("PUT", "/control/delays", {"latency": 0.05, "read_after": 60})
    assert changed.document == {"latency": 0.05, "sent_after": 0.0, "delivered_after": 0.02, "read_after": 60.0}
    assert (await stage.ask("GET", "/control/delays")).document == changed.document
    began = asyncio.get_running_loop().time()
    for answer in (
        await stage.whatsapp(),
        await stage.instagram(),
        await stage.ask("GET", "/instagram/v23.0/me"),
        await stage.ask("GET", "/instagram/v23.0/me", token=None),
        await stage.ask("POST", f"/whatsapp/v23.0/{NUMBER}/messages", {}),
    ):
        assert answer.status in {200, 400, 401}
    assert asyncio.get_running_loop().time() - began >= 5 * 0.05
    assert (await stage.tally())["callbacks"]["pending"] >= 2


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "JSON object"),
        ({"read_afer": 1}, "no read_afer"),
        ({"latency": -0.1}, "latency"),
        ({"latency": "1"}, "latency"),
        ({"latency": False}, "latency"),
        ({"latency": 1e9}, "latency"),
        ({"sent_after": 1, "latency": -1}, "latency"),
        (b"{", "not JSON"),
        (b'{"latency": 1e999}', ""),
        (b"[" * 100_000, "not JSON"),
    ],
)
async def test_delays_that_make_no_sense_change_nothing(stage: Stage, document: object, complaint: str) -> None:
    before = (await stage.ask("GET", "/control/delays")).document
    answer = await stage.ask("PUT", "/control/delays", document)
    assert answer.status == 400
    assert complaint in answer.document["error"]
    assert (await stage.ask("GET", "/control/delays")).document == before


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        ({"kind": "blocked"}, "list"),
        (["blocked"], "fault 0: a fault is a JSON object"),
        ([{}], "kind is one of slow"),
        ([{"kind": "broken"}], "kind is one of slow"),
        ([{"kind": ["slow"]}], "kind is one of slow"),
        ([{"kind": "blocked", "too": ANA}], "no too"),
        ([{"kind": "slow"}], "slow needs it"),
        ([{"kind": "slow", "seconds": -1}], "seconds"),
        ([{"kind": "slow", "seconds": True}], "seconds"),
        ([{"kind": "slow", "seconds": "1"}], "seconds"),
        ([{"kind": "blocked", "seconds": 1}], "seconds belongs to slow"),
        ([{"kind": "blocked", "retry_after": 1}], "retry_after belongs to"),
        ([{"kind": "blocked", "token": "t"}], "token belongs to"),
        ([{"kind": "rate_limited", "retry_after": 1.5}], "retry_after"),
        ([{"kind": "blocked", "rate": 1.1}], "rate"),
        ([{"kind": "blocked", "times": 0}], "times"),
        ([{"kind": "blocked", "times": True}], "times"),
        ([{"kind": "blocked", "for_seconds": "long"}], "for_seconds"),
        ([{"kind": "blocked", "to": ""}], "to is a text"),
        ([{"kind": "blocked", "to": 55}], "to is a text"),
        ([{"kind": "blocked", "account": 109}], "account is a text"),
        ([{"kind": "blocked"}, {"kind": "broken"}], "fault 1: "),
        ([{"kind": "blocked"}] * (MOST_FAULTS + 1), "at most"),
    ],
)
async def test_fault_that_makes_no_sense_is_refused_and_changes_nothing(
    stage: Stage, faults: Any, complaint: str
) -> None:
    await stage.order({"kind": "server_error"})
    answer = await stage.ask("PUT", "/control/faults", faults)
    assert answer.status == 400
    assert complaint in answer.document["error"]
    assert (await stage.whatsapp()).status == 500
