import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

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
from tests.channels.connector_suite import TEXT, TO, ConnectorSuite, Refusal

ACCOUNT = CREDENTIALS["instagram"]["instagram_id"]
PERSON = "24500000000000001"
MID = "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE"
AT = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def refused(code: int, error: type[SendFailed], status: int = 400, *, subcode: Any = None, **has: Any) -> Refusal:
    body = {"error": {"message": "Words.", "type": "IGApiException", "code": code, "error_subcode": subcode}}
    return Refusal(status, orjson.dumps(body), error, str(code), {"detail": "Words."} | has)


def event(**values: Any) -> dict[str, Any]:
    people = {"sender": {"id": ACCOUNT}, "recipient": {"id": PERSON}}
    return people | {"timestamp": int(AT.timestamp() * 1000)} | values


def callback(*events: Any) -> bytes:
    entry = {"id": ACCOUNT, "time": 1772366400123, "messaging": list(events)}
    return orjson.dumps({"object": "instagram", "entry": [entry]})


def echo(mid: Any = MID) -> dict[str, Any]:
    return event(message={"mid": mid, "is_echo": True, "text": "Pronto"})


class TestInstagram(ConnectorSuite):
    name = "instagram"
    provider_id = MID
    accepted = orjson.dumps({"recipient_id": PERSON, "message_id": MID})
    without_id = [b'{"recipient_id": "1"}', b'{"message_id": 5}', b'{"message_id": null}']
    refusals = [
        *(refused(code, RateLimited, 403, scope="account") for code in (4, 17, 32, 613, 80002)),
        *(refused(code, Transient) for code in (1, 2, 1200)),
        refused(999999, Transient, 500),
        *(refused(code, AccountRejected) for code in (10, 102, 190, 200, 230, 299)),
        refused(551, RecipientRejected),
        # One conversation's trouble, under a code that otherwise condemns the account.
        *(refused(10, MessageRejected, 403, subcode=subcode) for subcode in (2018065, 2018278, 2534022)),
        refused(10, RecipientRejected, subcode=2018108),
        refused(200, RecipientRejected, subcode=1545041),
        *(refused(100, RecipientRejected, subcode=subcode) for subcode in (2018001, 2534014)),
        *(refused(code, MessageRejected) for code in (100, 300, 424242)),
        refused(10, AccountRejected, subcode="2534022"),
        refused(10, AccountRejected, subcode=[2534022]),
    ]
    foreign = [b'{"object": "whatsapp_business_account", "entry": []}', b'{"object": null}']
    callbacks = [
        (
            callback(echo(), event(read={"mid": MID})),
            [
                Receipt(ACCOUNT, MID, ReceiptStatus.SENT, AT),
                Receipt(ACCOUNT, MID, ReceiptStatus.READ, AT),
            ],
        ),
        (
            # What is not a receipt of a message is passed over.
            callback(
                event(message={"mid": "theirs", "text": "Oi"}), echo(""), echo("a\0b"), echo(7), None, [], "read",
                event(read={"mid": "a" * 256}), event(reaction={"mid": MID}), event(read={"mid": "another"}),
            ),
            [Receipt(ACCOUNT, "another", ReceiptStatus.READ, AT)],
        ),
    ]  # fmt: skip

    def signed(self, body: bytes, credentials: Mapping[str, str]) -> dict[str, str]:
        digest = hmac.new(credentials["app_secret"].encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={digest}"}

    def refusal_quoting(self, words: str) -> bytes:
        return b'{"error": {"code": 190, "message": "%s"}}' % words.encode()

    def test_request_is_metas(self) -> None:
        request = self.connector().build_request(self.outbound())
        assert request.url == f"https://provider.example/v1/{ACCOUNT}/messages"
        assert request.headers["Authorization"] == f"Bearer {self.credentials['access_token']}"
        assert orjson.loads(request.body) == {"recipient": {"id": TO}, "message": {"text": TEXT}}

    def test_receipt_without_a_time_was_received_now(self) -> None:
        timestamps: list[Any] = [None, "soon", -1, 10**15, 1.5, []]
        for timestamp in timestamps:
            body = callback(event(read={"mid": MID}, timestamp=timestamp))
            (read,) = self.connector().events_of(self.call(body))
            assert isinstance(read, Receipt)
            assert abs((read.at - clock.now()).total_seconds()) < 60
