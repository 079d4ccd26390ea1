"""What programs see of Evolution: answers, errors and events in the shapes of its source."""

from dataclasses import dataclass, field
from typing import Any

import jwt
import orjson
import pytest
from multidict import CIMultiDict

from apps.channels.callback import Callback, CallbackEvent, Inbound, Receipt
from apps.channels.connector import Outbound
from apps.channels.connectors.evolution import Evolution
from apps.channels.content import Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    OutcomeUnknown,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from tests.channels.connector_suite import LINK, MESSAGE_ID
from tests.channels.loopback_provider import client
from tests.channels.simulators.stage import ANA, Answer, Stage, until
from tests.messaging.desk import CREDENTIALS

OURS = CREDENTIALS["evolution"] | {"jwt_key": ""}
INSTANCE = OURS["instance"]
API_KEY = OURS["api_key"]
JWT_KEY = "a key that the desk and its server agreed upon"
SEND = f"/message/sendText/{INSTANCE}"
GOOD = {"number": ANA, "text": "Seu pão"}


async def ask(stage: Stage, method: str, path: str, body: object = None, key: str = API_KEY) -> Answer:
    data = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
    headers = {"apikey": key, "Content-Type": "application/json"}
    async with stage.session.request(method, f"{stage.url}/evolution{path}", data=data, headers=headers) as answer:
        return Answer(answer.status, dict(answer.headers), orjson.loads(await answer.read()))


async def say(stage: Stage, **said: str) -> str:
    answer = await stage.ask(
        "POST", "/control/say", {"provider": "evolution", "account": INSTANCE, "from": ANA, **said}
    )
    assert answer.status == 202, answer.document
    return str(answer.document["id"])


@dataclass
class Sender:
    """Our own connector, as the dispatcher uses it."""

    stage: Stage
    connector: Evolution = field(default_factory=lambda: Evolution(""))

    def credentials(self, **changes: str) -> dict[str, str]:
        return OURS | {"server_url": f"{self.stage.url}/evolution"} | changes

    async def listen(self, **changes: str) -> None:
        async with client() as http:
            url = f"{self.stage.receiver.url}/evolution"
            assert await self.connector.call_back_at(http, self.credentials(**changes), url)

    async def send(self, content: Content = Content("Seu pão"), answers: str = "", to: str = ANA) -> str:  # noqa: B008
        outbound = Outbound(MESSAGE_ID, f"+{to}", content, self.credentials(), answers)
        async with client() as http:
            return await self.connector.send(http, outbound)

    def heard(self) -> list[CallbackEvent]:
        """What is said by those callbacks that are believed: that must be all. Read as it is stored."""
        events: list[CallbackEvent] = []
        for each in self.stage.receiver.callbacks:
            callback = Callback("", CIMultiDict(each.headers), each.body)
            assert self.connector.verify_callback(callback, OURS)
            events += self.connector.events_of(Callback("", {}, self.connector.storable(callback)))
        return events


@pytest.fixture
def sender(stage: Stage) -> Sender:
    return Sender(stage)


# What programs send


async def test_message_is_answered_as_evolution_does(stage: Stage) -> None:
    answer = await ask(stage, "POST", SEND, GOOD)
    assert answer.status == 201
    key = answer.document["key"]
    assert key["id"].startswith("3EB0")
    assert key == {"remoteJid": f"{ANA}@s.whatsapp.net", "fromMe": True, "id": key["id"]}
    assert (answer.document["status"], answer.document["message"]) == ("PENDING", {"conversation": "Seu pão"})
    assert await stage.received(ANA) == ["Seu pão"]


async def test_each_status_is_an_event_that_carries_the_key(stage: Stage, sender: Sender) -> None:
    await sender.listen()
    message_id = await sender.send()
    await until(lambda: len(stage.receiver.callbacks) == 3)
    for each, status in zip(stage.receiver.callbacks, ("SERVER_ACK", "DELIVERY_ACK", "READ"), strict=True):
        document = each.document
        assert (document["event"], document["instance"], document["apikey"]) == (
            "messages.update",
            INSTANCE,
            API_KEY,
        )
        assert document["destination"] == f"{stage.receiver.url}/evolution"
        data = document["data"]
        assert (data["keyId"], data["status"], data["fromMe"]) == (message_id, status, True)
        assert each.headers["X-Webhook-Secret"] == OURS["webhook_secret"]


async def test_nobody_is_told_who_did_not_ask_for_it(stage: Stage, sender: Sender) -> None:
    await sender.send()
    wish = {
        "enabled": True,
        "url": f"{stage.receiver.url}/evolution",
        "headers": {},
        "events": ["MESSAGES_UPSERT"],
    }
    await ask(stage, "POST", f"/webhook/set/{INSTANCE}", {"webhook": wish})
    await sender.send()
    await ask(stage, "POST", f"/webhook/set/{INSTANCE}", {"webhook": {"enabled": False, "url": ""}})
    await say(stage, text="Oi")
    assert (await stage.settled())["callbacks"]["failed"] == 0
    assert stage.receiver.callbacks == []


@pytest.mark.parametrize(
    ("method", "body", "missing"),
    [
        ("sendText", {}, ["number", "text"]),
        ("sendText", {"number": ANA, "text": ""}, ["text"]),
        ("sendText", {"number": ANA, "text": 7}, ["text"]),
        ("sendMedia", {"number": ANA}, ["mediatype", "media"]),
        ("sendWhatsAppAudio", {"number": ANA, "media": LINK}, ["audio"]),
    ],
)
async def test_malformed_message_is_refused_and_not_counted(
    stage: Stage, method: str, body: dict[str, Any], missing: list[str]
) -> None:
    answer = await ask(stage, "POST", f"/message/{method}/{INSTANCE}", body)
    assert (answer.status, answer.document["error"]) == (400, "Bad Request")
    assert answer.document["response"] == {"message": [f'requires property "{name}"' for name in missing]}
    tally = await stage.tally()
    assert (tally["requests"], tally["accepted"], tally["refused_by_kind"]) == (1, 0, {"malformed": 1})


@pytest.mark.parametrize("number", ["ana", "123", "+5511988880001", "٥٥١١٩٨٨٨٨٠٠٠١"])
async def test_number_that_is_none_is_nobodys(stage: Stage, number: str) -> None:
    answer = await ask(stage, "POST", SEND, GOOD | {"number": number})
    assert answer.status == 400
    (told,) = answer.document["response"]["message"]
    assert (told["exists"], told["number"]) == (False, number)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"number":1e999}'])
async def test_hostile_json_is_refused_like_any_other(stage: Stage, body: bytes) -> None:
    for path in (SEND, f"/webhook/set/{INSTANCE}"):
        assert (await ask(stage, "POST", path, body)).status == 400


@pytest.mark.parametrize(
    "wish",
    [None, [], {}, {"enabled": True}, {"enabled": True, "url": "x", "headers": [], "events": []}],
)
async def test_webhook_that_is_none_is_refused(stage: Stage, wish: Any) -> None:
    assert (await ask(stage, "POST", f"/webhook/set/{INSTANCE}", {"webhook": wish})).status == 400


@pytest.mark.parametrize("key", ["", "invalid", "invalid-1"])
async def test_bad_key_is_refused_as_evolution_does(stage: Stage, key: str) -> None:
    paths = (
        ("POST", SEND),
        ("POST", f"/webhook/set/{INSTANCE}"),
        ("GET", f"/instance/connectionState/{INSTANCE}"),
    )
    for method, path in paths:
        answer = await ask(stage, method, path, GOOD, key)
        assert (answer.status, answer.document["response"]) == (401, {"message": ["Unauthorized"]})


async def test_method_that_is_none_is_not_found(stage: Stage) -> None:
    assert (await ask(stage, "POST", f"/message/sendPigeon/{INSTANCE}", GOOD)).status == 404


# What our connector makes of it


@pytest.mark.parametrize("jwt_key", ["", JWT_KEY])
async def test_connector_sends_and_believes_what_is_told(stage: Stage, sender: Sender, jwt_key: str) -> None:
    await sender.listen(jwt_key=jwt_key)
    message_id = await sender.send()
    await until(lambda: len(stage.receiver.callbacks) == 3)
    heard = [each for each in sender.heard() if isinstance(each, Receipt)]
    assert [each.status for each in heard] == ["sent", "delivered", "read"]
    assert {each.provider_id for each in heard} == {message_id}


async def test_callback_is_signed_with_the_key_that_was_agreed_upon(stage: Stage, sender: Sender) -> None:
    await sender.listen(jwt_key=JWT_KEY)
    await sender.send()
    await until(lambda: bool(stage.receiver.callbacks))
    called = stage.receiver.callbacks[0]
    assert "jwt_key" not in called.headers
    claims = jwt.decode(called.headers["Authorization"].removeprefix("Bearer "), JWT_KEY, algorithms=["HS256"])
    assert claims["app"] == "evolution"
    only_signed = Callback("", CIMultiDict({"Authorization": called.headers["Authorization"]}), called.body)
    assert sender.connector.verify_callback(only_signed, OURS | {"jwt_key": JWT_KEY})
    assert not sender.connector.verify_callback(only_signed, OURS)


@pytest.mark.parametrize("kind", MediaKind)
async def test_each_kind_of_media_is_taken(stage: Stage, sender: Sender, kind: MediaKind) -> None:
    assert await sender.send(Content(media=Media(kind, LINK)), answers="3EB0")
    log = orjson.loads((await stage.ask("GET", "/control/received")).document)
    taken = orjson.loads(log["text"])
    assert LINK in taken.values()
    assert taken["quoted"] == {"key": {"id": "3EB0"}}


async def test_instance_that_lost_its_connection_fails_the_check(sender: Sender) -> None:
    async with client() as http:
        await sender.connector.check(http, sender.credentials())
        with pytest.raises(AccountRejected) as failed:
            await sender.connector.check(http, sender.credentials(instance="closed-1"))
    assert failed.value.code == "not_connected"


REFUSED: list[tuple[str, type[SendFailed], dict[str, Any]]] = [
    ("rate_limited", RateLimited, {"code": "429", "retry_after": 1.0}),
    ("pair_rate_limited", RateLimited, {"code": "429"}),
    ("server_error", Transient, {"code": "500"}),
    ("invalid_token", AccountRejected, {"code": "401"}),
    ("blocked", RecipientRejected, {"code": "not_on_whatsapp"}),
    ("opted_out", RecipientRejected, {"code": "not_on_whatsapp"}),
    ("cut_before", OutcomeUnknown, {}),
]


@pytest.mark.parametrize(("kind", "error", "has"), REFUSED)
async def test_refused_message_is_not_received(
    stage: Stage, sender: Sender, kind: str, error: type[SendFailed], has: dict[str, Any]
) -> None:
    await sender.listen()
    await stage.order({"kind": kind, "provider": "evolution", "account": INSTANCE, "times": 1})
    with pytest.raises(error) as failed:
        await sender.send()
    assert {name: getattr(failed.value, name) for name in has} == has
    assert (await stage.settled())["accepted"] == 0
    assert stage.receiver.callbacks == []


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("cut_after", ["sent", "delivered", "read"]),
        ("duplicate_callbacks", ["sent", "delivered", "read"] * 2),
        ("reordered_callbacks", ["read", "delivered", "sent"]),
        ("undeliverable", ["failed"]),
        ("no_callbacks", []),
    ],
)
async def test_accepted_message_settles_however_it_goes_wrong(
    stage: Stage, sender: Sender, kind: str, statuses: list[str]
) -> None:
    await sender.listen()
    await stage.order({"kind": kind})
    if kind == "cut_after":
        with pytest.raises(OutcomeUnknown):
            await sender.send()
    else:
        await sender.send()
    assert (await stage.settled())["accepted"] == 1
    heard = [each.status for each in sender.heard() if isinstance(each, Receipt)]
    assert sorted(heard) == sorted(statuses)
    if kind == "reordered_callbacks":
        assert heard == statuses


async def test_callbacks_first_are_taken_before_the_answer(stage: Stage, sender: Sender) -> None:
    await sender.listen()
    await stage.order({"kind": "callbacks_first"})
    await sender.send()
    assert len(stage.receiver.callbacks) == 3


# What people write


async def test_person_is_heard(stage: Stage, sender: Sender) -> None:
    await sender.listen()
    message_id = await say(stage, text="Obrigada", name="Ana", reply_to="3EB0")
    (heard,) = sender.heard()
    assert isinstance(heard, Inbound)
    assert (heard.provider_id, heard.sender, heard.sender_name) == (message_id, f"+{ANA}", "Ana")
    assert (heard.text, heard.answers, heard.media) == ("Obrigada", "3EB0", None)


@pytest.mark.parametrize("kind", MediaKind)
async def test_person_shows_a_file(stage: Stage, sender: Sender, kind: MediaKind) -> None:
    await sender.listen()
    await say(stage, text="Olha", media_url=LINK, media_kind=kind, **{"from": f"+{ANA}"})
    (heard,) = sender.heard()
    assert isinstance(heard, Inbound)
    assert (heard.text, heard.media) == ("Olha", Media(kind, LINK, media_type=f"{kind}/simulated"))
    assert heard.sender == f"+{ANA}"
