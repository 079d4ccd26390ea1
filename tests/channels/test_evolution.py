import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import jwt
import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from apps.channels.callback import BadCallback, CallbackEvent, Inbound
from apps.channels.connectors.evolution import Evolution
from apps.channels.content import Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.core import clock
from tests.cast import CREDENTIALS
from tests.channels.callback_suite import BASE, NESTED, SHARED
from tests.channels.connector_suite import LINK, TEXT, ConnectorSuite, Refusal
from tests.channels.evolution_callbacks import (
    API_KEY,
    INSTANCE,
    JOAO,
    KEY,
    PASSED_OVER,
    SAID,
    THEIRS,
    key,
    receipt,
    told,
    update,
    written,
)
from tests.channels.loopback_provider import client, hangs_up, provider, says

JWT_KEY = CREDENTIALS["evolution"]["jwt_key"]


def refused(
    status: int, message: Any, error: type[SendFailed], code: str = "", detail: str = "", **has: Any
) -> Refusal:
    body = {"status": status, "error": "Bad Request", "response": {"message": message}}
    return Refusal(status, orjson.dumps(body), error, code or str(status), has | {"detail": detail or "No."})


def sent(**said: Any) -> dict[str, Any]:
    return {"number": JOAO, **said}


def token(secret: str = JWT_KEY, algorithm: str = "HS256", **changes: Any) -> dict[str, str]:
    now = int(time.time())
    claims = {"iat": now, "exp": now + 600, "app": "evolution", "action": "webhook"} | changes
    held = {name: value for name, value in claims.items() if value is not None}
    return {"Authorization": f"Bearer {jwt.encode(held, secret, algorithm)}"}


class TestEvolution(ConnectorSuite):
    name = "evolution"
    provider_id = KEY
    accepted = orjson.dumps({"key": key(fromMe=True, id=KEY), "status": "PENDING", "messageTimestamp": "1"})
    without_id = [b'{"key": null}', b'{"key": {"id": 7}}', b'{"key": "x"}', b'{"id": "x"}']
    refusals = [
        refused(
            400,
            [{"jid": f"{JOAO}@s.whatsapp.net", "exists": False, "number": JOAO}],
            RecipientRejected,
            "not_on_whatsapp",
            "Nobody has WhatsApp at this number.",
            opted_out=False,
        ),
        refused(400, ["Error: Connection Closed"], Transient, detail="Error: Connection Closed"),
        refused(400, ["Error: Timed Out"], Transient, detail="Error: Timed Out"),
        refused(400, [['requires property "text"', "x"]], MessageRejected, detail='requires property "text"; x'),
        refused(400, "No.", MessageRejected),
        refused(400, [{"exists": True}, "No."], MessageRejected),
        refused(401, "No.", AccountRejected),
        refused(403, ["No."], AccountRejected),
        refused(404, ["No."], AccountRejected),
        refused(429, "No.", RateLimited, scope="account"),
        refused(500, ["No."], Transient),
    ]
    contents = [
        (Content(TEXT), sent(text=TEXT)),
        (Content(media=Media(MediaKind.AUDIO, LINK, "a.mp3", "audio/mpeg")), sent(audio=LINK)),
        (Content(media=Media(MediaKind.IMAGE, LINK)), sent(mediatype="image", media=LINK)),
        (
            Content("Aqui", media=Media(MediaKind.DOCUMENT, LINK, "nota.pdf", "application/pdf")),
            sent(
                mediatype="document", media=LINK, caption="Aqui", fileName="nota.pdf", mimetype="application/pdf"
            ),
        ),
        (
            Content("Veja", media=Media(MediaKind.VIDEO, LINK)),
            sent(mediatype="video", media=LINK, caption="Veja"),
        ),
    ]
    foreign = [b'{"object": "whatsapp_business_account"}', b'{"event": 7, "data": {}}', b'[{"event": "x"}]']
    callbacks: ClassVar[list[tuple[bytes, list[CallbackEvent]]]] = [
        (told("messages.update", update("SERVER_ACK")), [receipt("sent")]),
        (told("messages.update", update("DELIVERY_ACK")), [receipt("delivered")]),
        (told("messages.update", update("READ")), [receipt("read")]),
        (told("messages.update", update("PLAYED")), [receipt("read")]),
        (
            told("messages.update", update("ERROR")),
            [receipt("failed", MessageRejected("ERROR", "The provider gave no reason."))],
        ),
        (
            # By Meta's Cloud API, where messages of ours are not even said to be ours.
            told("messages.update", [update(word, fromMe=False) for word in ("SENT", "DELIVERED", "FAILED")]),
            [
                receipt("sent"),
                receipt("delivered"),
                receipt("failed", MessageRejected("FAILED", "The provider gave no reason.")),
            ],
        ),
        (
            told(
                "messages.update",
                [
                    update("PENDING"), update("DELETED"), update("sent"), update(None), "READ",
                    update("READ", keyId=""), update("READ", keyId="a\0b"), update("READ", keyId=7),
                    update("READ"),
                ],
            ),
            [receipt("read")],
        ),
        *((told("messages.upsert", data), [expected]) for data, expected in SAID),
        (told("messages.upsert", [each for each, _ in SAID[:2]]), [expected for _, expected in SAID[:2]]),
        (told("messages.upsert", PASSED_OVER), []),
        (told("connection.update", {"instance": INSTANCE, "state": "close", "statusReason": 401}), []),
        (told("send.message", written({"conversation": "Oi"})), []),
        (told("messages.upsert", None), []),
    ]  # fmt: skip

    @classmethod
    def tables(cls) -> dict[str, list[Any]]:
        # Here 404 speaks of the instance, which is for a person to mend.
        tables = super().tables()
        refusals = [replace(each, error=AccountRejected) if each.status == 404 else each
                    for each in tables["refusal"]]  # fmt: skip
        return tables | {"refusal": refusals}

    # The server's address is a credential.
    server_url = BASE

    @property
    def credentials(self) -> dict[str, str]:
        return CREDENTIALS[self.name] | {"server_url": self.server_url}

    def connector(self, base_url: str = BASE) -> Evolution:
        self.server_url = base_url
        return Evolution("")

    def signed(self, body: bytes, credentials: Mapping[str, str]) -> dict[str, str]:
        return {"X-Webhook-Secret": credentials["webhook_secret"]}

    def refusal_quoting(self, words: str) -> bytes:
        return b'{"status": 400, "error": "Bad Request", "response": {"message": ["%s"]}}' % words.encode()

    # Where Evolution is not as the others

    def test_callback_that_was_changed_on_the_way_is_not_believed(self) -> None:
        """It is: Evolution signs nothing, and shows a secret instead. TLS keeps it from others."""
        assert self.verified(self.signed(b"", self.credentials), b"{}")

    async def test_good_credentials_pass_the_check(self) -> None:
        seen: list[tuple[str, str, str]] = []

        async def handler(request: web.Request) -> web.Response:
            seen.append((request.method, request.raw_path, request.headers["apikey"]))
            return web.Response(body=b'{"instance": {"instanceName": "padaria", "state": "open"}}')

        async with provider(handler) as url, client() as http:
            await self.connector(url).check(http, self.credentials)
        assert seen == [("GET", "/v1/instance/connectionState/padaria-aurora", API_KEY)]

    @pytest.mark.parametrize(
        ("body", "error", "code"),
        [
            (b'{"instance": {"state": "close"}}', AccountRejected, "not_connected"),
            (b'{"instance": {"state": "connecting"}}', AccountRejected, "not_connected"),
            (b'{"instance": {}}', AccountRejected, "not_connected"),
            (b"{}", Transient, "unreadable"),
            (b"<html>", Transient, "unreadable"),
        ],
    )
    async def test_instance_that_is_not_connected_fails_the_check(
        self, body: bytes, error: type[SendFailed], code: str
    ) -> None:
        async with provider(says(200, body)) as url, client() as http:
            with pytest.raises(error) as failed:
                await self.connector(url).check(http, self.credentials)
        assert failed.value.code == code

    # Sending

    def test_request_is_evolutions(self) -> None:
        request = self.connector().build_request(self.outbound())
        assert request.url == "https://provider.example/v1/message/sendText/padaria-aurora"
        assert request.headers == {"apikey": API_KEY, "Content-Type": "application/json"}

    @pytest.mark.parametrize(
        ("kind", "method"),
        [
            (MediaKind.IMAGE, "sendMedia"),
            (MediaKind.AUDIO, "sendWhatsAppAudio"),
            (MediaKind.VIDEO, "sendMedia"),
            (MediaKind.DOCUMENT, "sendMedia"),
        ],
    )
    def test_each_kind_of_media_has_its_method(self, kind: MediaKind, method: str) -> None:
        request = self.connector().build_request(self.outbound(Content(media=Media(kind, LINK))))
        assert request.url == f"https://provider.example/v1/message/{method}/padaria-aurora"

    def test_answer_names_the_message_that_it_answers(self) -> None:
        request = self.connector().build_request(replace(self.outbound(), answers=THEIRS))
        assert orjson.loads(request.body) == sent(text=TEXT, quoted={"key": {"id": THEIRS}})

    def test_name_of_an_instance_leads_nowhere_else(self) -> None:
        outbound = replace(self.outbound(), credentials=self.credentials | {"instance": "../x?y#z/é"})
        url = self.connector().build_request(outbound).url
        assert url == "https://provider.example/v1/message/sendText/..%2Fx%3Fy%23z%2F%C3%A9"

    # Being called back

    @pytest.mark.parametrize(("jwt_key", "more"), [("", {}), (JWT_KEY, {"jwt_key": JWT_KEY})])
    async def test_evolution_is_told_where_to_call_us(self, jwt_key: str, more: dict[str, str]) -> None:
        seen: list[tuple[str, Any]] = []

        async def handler(request: web.Request) -> web.Response:
            seen.append((request.raw_path, await request.json()))
            return web.Response(status=201, body=b"{}")

        ours = "https://recado.example/v1/hooks/evolution/1"
        async with provider(handler) as url, client() as http:
            connector = self.connector(url)
            assert await connector.call_back_at(http, self.credentials | {"jwt_key": jwt_key}, ours)
        ((path, body),) = seen
        assert path == "/v1/webhook/set/padaria-aurora"
        assert body == {
            "webhook": {
                "enabled": True,
                "url": ours,
                "headers": {"X-Webhook-Secret": self.credentials["webhook_secret"]} | more,
                "byEvents": False,
                "base64": False,
                "events": ["MESSAGES_UPSERT", "MESSAGES_UPDATE", "CONNECTION_UPDATE"],
            }
        }

    async def test_telling_where_to_call_us_fails_as_a_message_would(self) -> None:
        for handler, error in ((says(404, b"{}"), AccountRejected), (hangs_up, Transient)):
            async with provider(handler) as url, client() as http:
                connector = self.connector(url)
                with pytest.raises(error):
                    await connector.call_back_at(http, self.credentials, "https://recado.example")

    def test_callback_signed_with_the_key_is_believed(self) -> None:
        assert self.verified(token(), b"{}")
        # Clocks differ by a little.
        now = int(time.time())
        assert self.verified(token(iat=now + 30), b"{}")
        assert self.verified(token(exp=now - 30), b"{}")

    @pytest.mark.parametrize(
        "headers",
        [
            token("another key, of thirty-two characters and more"),
            token(exp=1),
            token(exp=None),
            token(iat=2**31),
            token(algorithm="HS512", secret=JWT_KEY * 2),
            token(algorithm="none", secret=""),
            {"Authorization": token()["Authorization"].removeprefix("Bearer ")},
            {"Authorization": token()["Authorization"].replace("Bearer", "Basic")},
            {"Authorization": token()["Authorization"][:-3]},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer \udc80"},
            {"Authorization": "Bearer é.é.é"},
            {"Authorization": ""},
        ],
    )
    def test_callback_signed_otherwise_is_not_believed(self, headers: dict[str, str]) -> None:
        assert not self.verified(headers, b"{}")

    def test_token_is_believed_only_where_a_key_was_agreed_upon(self) -> None:
        assert not self.verified(token(), b"{}", jwt_key="")
        without = {name: value for name, value in self.credentials.items() if name != "jwt_key"}
        assert not self.connector().verify_callback(self.call(b"{}", token()), without)

    def test_secret_that_is_empty_is_nobodys(self) -> None:
        assert not self.verified({"X-Webhook-Secret": ""}, b"{}", webhook_secret="", jwt_key="")
        assert not self.verified({}, b"{}", webhook_secret="", jwt_key="")

    @SHARED
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
            lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=10), parts, max_size=4),
            max_leaves=20,
        ),
        st.sampled_from(["first", "last", "twice"]),
    )
    def test_key_in_a_callback_is_never_stored(self, data: Any, place: str) -> None:
        key, rest = b'"apikey":"%b"' % API_KEY.encode(), told("messages.upsert", data, apikey="")[1:-1]
        body = {"first": b"{%b,%b}" % (key, rest), "last": b"{%b,%b}" % (rest, key)}.get(
            place, b"{%b,%b,%b}" % (key, rest, key)
        )
        stored = self.connector().storable(self.call(body))
        assert API_KEY.encode() not in stored
        read = orjson.loads(stored)
        assert "apikey" not in read
        assert (read["event"], read["data"]) == ("messages.upsert", data)

    def test_stored_callback_says_what_it_said(self, callback: tuple[bytes, list[CallbackEvent]]) -> None:
        stored = self.connector().storable(self.call(callback[0]))
        self.test_events_are_read_in_order((stored, callback[1]))

    def test_callback_that_cannot_be_searched_for_the_key_is_not_stored(self, bad_callback: bytes) -> None:
        deep = told("messages.upsert", "deep").replace(b'"deep"', NESTED)
        for body in (bad_callback, deep):
            with pytest.raises(BadCallback):
                self.connector().storable(self.call(body))

    @pytest.mark.parametrize("timestamp", [None, "", "soon", -1, 10**12, 1.5, {"low": 1}])
    def test_message_without_a_time_was_written_now(self, timestamp: Any) -> None:
        body = told("messages.upsert", written({"conversation": "Oi"}, messageTimestamp=timestamp))
        (read,) = self.connector().events_of(self.call(body))
        assert isinstance(read, Inbound)
        assert abs((read.at - clock.now()).total_seconds()) < 60

    # Credentials

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({}, set()),
            ({"jwt_key": ""}, set()),
            ({"server_url": "http://127.0.0.1:8090/evolution/"}, set()),
            ({"server_url": "https://evolution.example"}, set()),
            ({"server_url": "evolution.example"}, {"server_url"}),
            ({"server_url": "ftp://evolution.example"}, {"server_url"}),
            ({"server_url": "https://"}, {"server_url"}),
            ({"server_url": "https://evolution.example/../x"}, {"server_url"}),
            ({"server_url": "https://evolution.example//x"}, {"server_url"}),
            ({"server_url": "https://evolution.example/%2e%2e/x"}, {"server_url"}),
            ({"server_url": "https://evolution.example?x=1"}, {"server_url"}),
            ({"server_url": "https://evolution.example/#x"}, {"server_url"}),
            ({"server_url": "https://someone@evolution.example"}, {"server_url"}),
            ({"server_url": "https://evolution.example\\@x"}, {"server_url"}),
            ({"instance": ".."}, {"instance"}),
            ({"webhook_secret": "short"}, {"webhook_secret"}),
            ({"jwt_key": "short", "instance": "."}, {"jwt_key", "instance"}),
        ],
    )
    def test_credentials_that_cannot_be_any_are_said_to_be_none(
        self, changes: dict[str, str], wrong: set[str]
    ) -> None:
        assert set(Evolution.bad_credentials(self.credentials | changes)) == wrong
