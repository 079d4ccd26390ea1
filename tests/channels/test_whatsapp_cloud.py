import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from apps.channels.callback import Receipt, ReceiptStatus
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
from tests.channels.connector_suite import MESSAGE_ID, TEXT, ConnectorSuite, Refusal
from tests.channels.loopback_provider import answer

NUMBER = CREDENTIALS["whatsapp_cloud"]["phone_number_id"]
WAMID = "wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjQ5"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refused(
    code: int, error: type[SendFailed], status: int = 400, *, subcode: int | None = None, **has: Any
) -> Refusal:
    body = {"error": {"message": f"(#{code}) Title", "type": "OAuthException", "code": code, "fbtrace_id": "x"}}
    if subcode:
        body["error"]["error_subcode"] = subcode
    return Refusal(status, orjson.dumps(body), error, str(code), has)


def status(word: str, **values: Any) -> dict[str, Any]:
    told = {"id": WAMID, "status": word, "timestamp": str(int(AT.timestamp())), "recipient_id": "5511987654321"}
    return told | {"biz_opaque_callback_data": str(MESSAGE_ID)} | values


def callback(*statuses: Any, **value: Any) -> bytes:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    told = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": list(statuses)} | value
    change = {"field": "messages", "value": told}
    entry = {"id": "102290129340398", "changes": [change]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def receipt(word: str, **values: Any) -> Receipt:
    return replace(Receipt(NUMBER, WAMID, ReceiptStatus(word), AT, MESSAGE_ID), **values)


class TestWhatsappCloud(ConnectorSuite):
    name = "whatsapp_cloud"
    provider_id = WAMID
    accepted = orjson.dumps(
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "5511987654321", "wa_id": "5511987654321"}],
            "messages": [{"id": WAMID, "message_status": "accepted"}],
        }
    )
    without_id = [
        b'{"messages": []}',
        b'{"messages": [{}]}',
        b'{"messages": [{"id": 7}]}',
        b'{"messages": {"id": "x"}}',
    ]
    refusals = [
        *(refused(code, RateLimited, 429, scope="account") for code in (4, 80007, 130429)),
        refused(131056, RateLimited, scope="recipient"),
        refused(131049, RateLimited, scope="recipient", retry_after=24 * 3600),
        *(refused(code, Transient) for code in (1, 2, 131000, 131016)),
        refused(999999, Transient, 500),
        *(refused(code, AccountRejected) for code in (0, 3, 10, 33, 190, 200, 299, 368, 131005, 131031)),
        *(refused(code, AccountRejected) for code in (131042, 131048, 133010)),
        refused(100, AccountRejected, 404, subcode=33),
        # By the code, whatever the status says.
        refused(190, AccountRejected, 500),
        refused(131026, RecipientRejected, opted_out=False),
        refused(131026, RecipientRejected, 500),
        refused(131050, RecipientRejected, opted_out=True),
        *(refused(code, MessageRejected) for code in (100, 131008, 131047, 131051, 132000, 132001, 300, 424242)),
    ]
    foreign = [
        b'{"object": "instagram", "entry": []}',
        b'{"object": ["whatsapp_business_account"]}',
        b'[{"object": "whatsapp_business_account"}]',
    ]
    callbacks = [
        (
            callback(status("sent"), status("delivered"), status("read")),
            [receipt("sent"), receipt("delivered"), receipt("read")],
        ),
        (
            callback(
                status(
                    "failed",
                    errors=[{"code": 131026, "title": "Undeliverable", "error_data": {"details": "No WhatsApp."}}],
                ),
                status("failed", errors=[{"code": 131050, "title": "Opted out"}]),
                status("failed", errors=[{"code": 131047, "error_data": {}}]),
                status("failed", errors=[]),
            ),
            [
                receipt("failed", error=RecipientRejected("131026", "No WhatsApp.")),
                receipt("failed", error=RecipientRejected("131050", "Opted out", opted_out=True)),
                receipt("failed", error=MessageRejected("131047")),
                receipt("failed", error=MessageRejected("", "The provider gave no reason.")),
            ],
        ),
        (
            # What is not a receipt of a message is passed over; an id that is not ours is none.
            callback(
                status("warning"), {"id": WAMID}, status("sent", id=""), status("sent", id="a\0b"), None, "sent",
                status("read", biz_opaque_callback_data="of another system", id="wamid.other"),
                status("read", biz_opaque_callback_data=None),
            ),
            [receipt("read", message_id=None, provider_id="wamid.other"), receipt("read", message_id=None)],
        ),
        (callback(contacts=[], messages=[{"from": "5511987654321", "type": "text"}]), []),
    ]  # fmt: skip

    def signed(self, body: bytes, credentials: Mapping[str, str]) -> dict[str, str]:
        digest = hmac.new(credentials["app_secret"].encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={digest}"}

    def refusal_quoting(self, words: str) -> bytes:
        return b'{"error": {"code": 190, "message": "%s"}}' % words.encode()

    def test_request_is_metas(self) -> None:
        request = self.connector().build_request(self.outbound())
        assert request.url == f"https://provider.example/v1/{NUMBER}/messages"
        assert request.headers["Authorization"] == f"Bearer {self.credentials['access_token']}"
        assert orjson.loads(request.body) == {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "5511987654321",
            "type": "text",
            "text": {"body": TEXT},
            "biz_opaque_callback_data": str(MESSAGE_ID),
        }

    def test_details_of_a_refusal_are_preferred_to_its_title(self) -> None:
        body = b'{"error": {"code": 100, "message": "Invalid", "error_data": {"details": "Give a body."}}}'
        assert self.connector().classify(answer(400, body)).detail == "Give a body."

    @pytest.mark.parametrize("timestamp", [None, "", "soon", "-1", "9" * 30, [], {"x": 1}, 1.5])
    def test_receipt_without_a_time_was_received_now(self, timestamp: Any) -> None:
        (read,) = self.connector().events_of(self.call(callback(status("read", timestamp=timestamp))))
        assert isinstance(read, Receipt)
        assert abs((read.at - clock.now()).total_seconds()) < 60
