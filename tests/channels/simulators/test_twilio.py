"""What programs see of Twilio: answers, errors and forms in the shapes that it documents.

That Twilio's own library understands it is for test_twilio_client.py.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest
from multidict import CIMultiDict

from apps.channels.callback import Callback, CallbackEvent, Inbound, Receipt
from apps.channels.connector import Outbound
from apps.channels.connectors.sms import Sms
from apps.channels.content import Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from tests.channels.connector_suite import MESSAGE_ID
from tests.channels.loopback_provider import client
from tests.channels.simulators.stage import Answer, Stage, until
from tests.messaging.desk import CREDENTIALS

OURS = CREDENTIALS["sms"]
SID = OURS["account_sid"]
ACCOUNT = f"/twilio/2010-04-01/Accounts/{SID}"
ANA = "+5511988880001"
GOOD = {"To": ANA, "From": OURS["sender"], "Body": "Seu pão"}


async def ask(
    stage: Stage,
    path: str,
    form: dict[str, str] | bytes | None = None,
    token: str = OURS["auth_token"],
    sid: str = SID,
) -> Answer:
    body = urlencode(form).encode() if isinstance(form, dict) else form
    headers = {"Authorization": f"Basic {b64encode(f'{sid}:{token}'.encode()).decode()}",
               "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
    method = "GET" if body is None else "POST"
    async with stage.session.request(method, stage.url + path, data=body, headers=headers) as answer:
        return Answer(answer.status, dict(answer.headers), orjson.loads(await answer.read()))


async def send(stage: Stage, **changes: str) -> Answer:
    return await ask(stage, f"{ACCOUNT}/Messages.json", GOOD | {"StatusCallback": address(stage)} | changes)


async def say(stage: Stage, **said: str) -> str:
    body = {"provider": "twilio", "account": SID, "from": ANA, **said}
    answer = await stage.ask("POST", "/control/say", body)
    assert answer.status == 202, answer.document
    return str(answer.document["id"])


def address(stage: Stage, message: object = MESSAGE_ID) -> str:
    return f"{stage.receiver.url}/sms?message={message}"


def forms(stage: Stage) -> list[dict[str, str]]:
    return [dict(parse_qsl(each.body.decode(), keep_blank_values=True)) for each in stage.receiver.callbacks]


@dataclass
class Sender:
    """Our own connector, as the dispatcher uses it."""

    stage: Stage
    connector: Sms = field(init=False)

    def __post_init__(self) -> None:
        self.connector = Sms(f"{self.stage.url}/twilio")

    async def send(self, content: Content = Content("Seu pão"), **credentials: str) -> str:  # noqa: B008 - nothing changes it
        url = f"{self.stage.receiver.url}/sms"
        outbound = Outbound(MESSAGE_ID, ANA, content, OURS | credentials, callback_url=url)
        async with client() as http:
            return await self.connector.send(http, outbound)

    def heard(self, url: str) -> list[CallbackEvent]:
        """What is said by those callbacks that are believed: that must be all."""
        events: list[CallbackEvent] = []
        for each in self.stage.receiver.callbacks:
            callback = Callback(url, CIMultiDict(each.headers), each.body)
            assert self.connector.verify_callback(callback, OURS)
            events += self.connector.events_of(callback)
        return events


# What programs send


async def test_message_is_answered_as_twilio_does(stage: Stage) -> None:
    answer = await send(stage)
    assert answer.status == 201
    sid = answer.document["sid"]
    assert len(sid) == 34
    assert answer.document["uri"] == f"/2010-04-01/Accounts/{SID}/Messages/{sid}.json"
    expected = {"account_sid": SID, "to": ANA, "from": OURS["sender"], "body": "Seu pão", "status": "queued",
                "error_code": None, "num_media": "0", "messaging_service_sid": None}  # fmt: skip
    assert {name: answer.document[name] for name in expected} == expected
    assert await stage.received("%2B5511988880001") == [str(MESSAGE_ID)]


async def test_each_status_is_posted_as_a_form_to_the_address_that_the_message_named(stage: Stage) -> None:
    sid = (await send(stage)).document["sid"]
    await until(lambda: len(stage.receiver.callbacks) == 2)
    assert [each.path for each in stage.receiver.callbacks] == ["/hooks/sms"] * 2
    assert forms(stage) == [
        {"MessageSid": sid, "SmsSid": sid, "MessageStatus": word, "SmsStatus": word, "AccountSid": SID,
         "From": OURS["sender"], "To": ANA, "ApiVersion": "2010-04-01"}
        for word in ("sent", "delivered")
    ]  # fmt: skip


async def test_message_that_names_no_address_is_told_of_to_nobody(stage: Stage) -> None:
    answer = await send(stage, StatusCallback="")
    assert (await stage.settled())["callbacks"]["failed"] == 0
    assert stage.receiver.callbacks == []
    assert await stage.received("%2B5511988880001") == [answer.document["sid"]]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "ana"}, 21211),
        ({"To": "5511988880001"}, 21211),
        ({"To": "+٥٥١١٩٨٨٨٨٠٠٠١"}, 21211),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "é" * 1601}, 21617),
        ({"StatusCallback": "recado"}, 21609),
        ({"StatusCallback": "ftp://recado.example"}, 21609),
        ({"StatusCallback": "http://["}, 21609),
    ],
)
async def test_malformed_message_is_refused_and_not_counted(
    stage: Stage, changes: dict[str, str], code: int
) -> None:
    answer = await send(stage, **changes)
    assert (answer.status, answer.document["code"], answer.document["status"]) == (400, code, 400)
    assert answer.document["more_info"].endswith(f"/{code}")
    tally = await stage.tally()
    assert (tally["requests"], tally["accepted"], tally["refused_by_kind"]) == (1, 0, {"malformed": 1})


@pytest.mark.parametrize("body", [b"", b"\x00", b"{}", b"\xff\xfe", b"To=%ff&Body=%00", b"&" * 100_000])
async def test_form_that_is_none_is_refused_like_any_other(stage: Stage, body: bytes) -> None:
    answer = await ask(stage, f"{ACCOUNT}/Messages.json", body)
    assert answer.status == 400


@pytest.mark.parametrize(("token", "sid"), [("", SID), ("invalid-1", SID), ("token", "AC" + "1" * 32)])
async def test_bad_token_is_refused_as_twilio_does(stage: Stage, token: str, sid: str) -> None:
    number = f"{ACCOUNT}/IncomingPhoneNumbers/PN1.json"
    for path, form in ((f"{ACCOUNT}/Messages.json", GOOD), (f"{ACCOUNT}.json", None), (number, {"SmsUrl": "x"})):
        answer = await ask(stage, path, form, token, sid)
        assert (answer.status, answer.document["code"]) == (401, 20003)


@pytest.mark.parametrize("header", ["", "Basic", "Basic %", "Bearer x", "Basic w6k=", "Basic /w=="])
async def test_nobody_is_let_in_without_a_token(stage: Stage, header: str) -> None:
    answer = await stage.ask("GET", f"{ACCOUNT}.json", token=header)
    assert answer.status == 401


# What our connector makes of it


async def test_connector_sends_and_believes_what_is_told(stage: Stage) -> None:
    sender = Sender(stage)
    sid = await sender.send()
    await until(lambda: len(stage.receiver.callbacks) == 2)
    sent, delivered = sender.heard(address(stage))
    assert isinstance(sent, Receipt)
    assert isinstance(delivered, Receipt)
    assert [sent.status, delivered.status] == ["sent", "delivered"]
    assert {sent.message_id, delivered.message_id} == {MESSAGE_ID}
    assert {sent.provider_id, delivered.provider_id} == {sid}


async def test_callback_under_another_accounts_token_is_not_believed(stage: Stage) -> None:
    sender = Sender(stage)
    await sender.send(auth_token="the token of somebody else")
    await until(lambda: bool(stage.receiver.callbacks))
    with pytest.raises(AssertionError):
        sender.heard(address(stage))


async def test_picture_and_messaging_service_are_taken(stage: Stage) -> None:
    service = "MG" + "a" * 32
    picture = Content(media=Media(MediaKind.IMAGE, "https://files.example/a.png"))
    await Sender(stage).send(picture, sender=service)
    log = orjson.loads((await stage.ask("GET", "/control/received")).document)
    assert log["text"] == "https://files.example/a.png"


REFUSED: list[tuple[str, type[SendFailed], dict[str, Any]]] = [
    ("rate_limited", RateLimited, {"code": "20429", "retry_after": 1.0}),
    ("pair_rate_limited", RateLimited, {"code": "20429"}),
    ("server_error", Transient, {"code": "20500"}),
    ("invalid_token", AccountRejected, {"code": "20003"}),
    ("blocked", RecipientRejected, {"code": "21614", "opted_out": False}),
    ("opted_out", RecipientRejected, {"code": "21610", "opted_out": True}),
    ("cut_before", OutcomeUnknown, {}),
]


@pytest.mark.parametrize(("kind", "error", "has"), REFUSED)
async def test_refused_message_is_not_received(
    stage: Stage, kind: str, error: type[SendFailed], has: dict[str, Any]
) -> None:
    await stage.order({"kind": kind, "provider": "twilio", "account": SID, "times": 1})
    sender = Sender(stage)
    with pytest.raises(error) as failed:
        await sender.send()
    assert {name: getattr(failed.value, name) for name in has} == has
    assert (await stage.settled())["accepted"] == 0
    assert stage.receiver.callbacks == []


@pytest.mark.parametrize(("kind", "error", "has"), REFUSED[:4:2])
async def test_account_in_trouble_shows_it_when_its_credentials_are_checked(
    stage: Stage, kind: str, error: type[SendFailed], has: dict[str, Any]
) -> None:
    connector = Sender(stage).connector
    async with client() as http:
        await connector.check(http, OURS)
        await stage.order({"kind": kind})
        with pytest.raises(error):
            await connector.check(http, OURS)
    assert (await stage.tally())["requests"] == 0


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("cut_after", ["sent", "delivered"]),
        ("duplicate_callbacks", ["sent", "delivered", "sent", "delivered"]),
        ("reordered_callbacks", ["delivered", "sent"]),
        ("undeliverable", ["sent", "failed"]),
        ("no_callbacks", []),
    ],
)
async def test_accepted_message_settles_however_it_goes_wrong(
    stage: Stage, kind: str, statuses: list[str]
) -> None:
    await stage.order({"kind": kind})
    sender = Sender(stage)
    if kind == "cut_after":
        with pytest.raises(OutcomeUnknown):
            await sender.send()
    else:
        await sender.send()
    assert (await stage.settled())["accepted"] == 1
    heard = [each for each in sender.heard(address(stage)) if isinstance(each, Receipt)]
    assert sorted(each.status for each in heard) == sorted(statuses)
    if kind == "reordered_callbacks":
        assert [each.status for each in heard] == statuses
    assert {each.message_id for each in heard} <= {MESSAGE_ID}
    errors = [each.error for each in heard if each.error]
    assert [error.code for error in errors] == (["30003"] if kind == "undeliverable" else [])


async def test_callbacks_first_are_taken_before_the_answer(stage: Stage) -> None:
    await stage.order({"kind": "callbacks_first"})
    await Sender(stage).send()
    assert len(stage.receiver.callbacks) == 2


# What people write


async def test_person_is_heard_where_the_last_messages_statuses_go(stage: Stage) -> None:
    sender = Sender(stage)
    await sender.send()
    await stage.settled()
    stage.receiver.callbacks.clear()
    sid = await say(stage, text="Obrigada & até", media_url="https://files.example/a.jpg", media_kind="image")
    (heard,) = sender.heard(f"{stage.receiver.url}/sms")
    assert isinstance(heard, Inbound)
    assert (heard.provider_id, heard.sender, heard.text) == (sid, ANA, "Obrigada & até")
    assert heard.media == Media(MediaKind.IMAGE, "https://files.example/a.jpg", media_type="image/simulated")
    assert forms(stage)[0]["To"] == OURS["sender"]


async def test_person_is_heard_where_the_number_says(stage: Stage) -> None:
    url = f"{stage.receiver.url}/console"
    number = f"{ACCOUNT}/IncomingPhoneNumbers/PN1.json"
    answer = await ask(stage, number, {"SmsUrl": url})
    assert (answer.status, answer.document["sms_url"]) == (200, url)
    await say(stage, text="Oi", **{"from": ANA.removeprefix("+")})
    assert [each.path for each in stage.receiver.callbacks] == ["/hooks/console"]
    (heard,) = Sender(stage).heard(url)
    assert isinstance(heard, Inbound)
    assert heard.sender == ANA


async def test_person_who_writes_to_an_account_that_nobody_listens_for_is_not_heard(stage: Stage) -> None:
    await say(stage, text="Oi")
    assert (await stage.settled())["callbacks"]["failed"] == 0
    assert stage.receiver.callbacks == []
