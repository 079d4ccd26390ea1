from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from unittest.mock import ANY
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest
from multidict import CIMultiDict, MultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from apps.channels.callback import BadCallback, Callback, CallbackEvent, Inbound, Receipt, ReceiptStatus
from apps.channels.content import Content, Media, MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.http_connector import Request
from tests.cast import CREDENTIALS
from tests.channels.callback_suite import HOSTILE
from tests.channels.connector_suite import LINK, MESSAGE_ID, TEXT, TO, ConnectorSuite, Refusal

ACCOUNT = CREDENTIALS["sms"]["account_sid"]
SENDER = CREDENTIALS["sms"]["sender"]
SERVICE = "MG" + "a" * 32
SID = "SM" + "0" * 31 + "1"
OURS = "https://recado.example/v1/hooks/sms/0198a1f0-5c1e-7c3a-8f00-0000000000aa"
PHOTO = "https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/MM0/Media/ME0"


def refused(code: int, error: type[SendFailed], status: int = 400, **has: Any) -> Refusal:
    body = {"code": code, "message": "No.", "more_info": "https://www.twilio.com/docs/errors", "status": status}
    return Refusal(status, orjson.dumps(body), error, str(code), has | {"detail": "No."})


def form(**changes: str | None) -> bytes:
    """As Twilio sends it; a value of None takes away what every callback has."""
    told = {"AccountSid": ACCOUNT, "MessageSid": SID, "ApiVersion": "2010-04-01"} | changes
    return urlencode({name: value for name, value in told.items() if value is not None}).encode()


def status(word: str, **more: str) -> bytes:
    return form(MessageStatus=word, SmsStatus=word, To=TO, From=SENDER, SmsSid=SID, **more)


def receipt(word: str, error: SendFailed | None = None) -> CallbackEvent:
    return Receipt("", SID, ReceiptStatus(word), ANY, MESSAGE_ID, error)


def written(**changes: str | None) -> bytes:
    told: dict[str, str | None] = {"From": TO, "To": SENDER, "Body": "Olá & até", "NumMedia": "0"}
    return form(**({"SmsStatus": "received", "SmsMessageSid": SID} | told | changes))


def inbound(text: str = "", media: Media | None = None, provider_id: str = SID) -> CallbackEvent:
    return Inbound("", provider_id, TO, ANY, text, media)


class TestSms(ConnectorSuite):
    name = "sms"
    provider_id = SID
    accepted = orjson.dumps({"sid": SID, "account_sid": ACCOUNT, "status": "queued", "error_code": None})
    without_id = [b'{"sid": null}', b'{"sid": 7}', b'[{"sid": "SM1"}]', b'{"status": "queued"}']
    refusals = [
        refused(20429, RateLimited, 429, scope="account"),
        refused(21611, RateLimited, scope="account"),
        *(refused(code, Transient) for code in (30001, 30008, 30017, 30410)),
        refused(20500, Transient, 500),
        refused(20003, AccountRejected, 401),
        refused(20404, AccountRejected, 404),
        *(refused(code, AccountRejected) for code in (10001, 20005, 20006, 21212, 21603, 21606, 21609, 21659)),
        *(refused(code, AccountRejected) for code in (21660, 21703, 21705, 30002, 30034)),
        *(refused(code, RecipientRejected, opted_out=False) for code in (21211, 21214, 21217, 21408, 21608)),
        *(refused(code, RecipientRejected, opted_out=False) for code in (21612, 21614, 21635)),
        *(refused(code, RecipientRejected, opted_out=False) for code in (30003, 30004, 30005, 30006)),
        refused(21610, RecipientRejected, opted_out=True),
        *(refused(code, MessageRejected) for code in (21602, 21617, 21620, 30007, 42424)),
        # By the code, whatever the status says.
        refused(21610, RecipientRejected, 500, opted_out=True),
        Refusal(400, b'{"code": "21610", "message": "No."}', MessageRejected, "400"),
    ]
    contents = [
        (Content(TEXT), {"To": TO, "From": SENDER, "Body": TEXT}),
        (Content(media=Media(MediaKind.IMAGE, LINK)), {"To": TO, "From": SENDER, "MediaUrl": LINK}),
        (
            Content("Olha", media=Media(MediaKind.IMAGE, LINK, "a.png", "image/png")),
            {"To": TO, "From": SENDER, "Body": "Olha", "MediaUrl": LINK},
        ),
    ]
    foreign = [
        b'{"object": "whatsapp_business_account"}',
        form(MessageSid=None, MessageStatus="sent"),
        form(MessageSid="", MessageStatus="sent"),
        form(MessageSid="CA" + "0" * 32, CallStatus="completed"),
        urlencode({f"Field{n}": "x" for n in range(201)} | {"MessageSid": SID}).encode(),
        form() + b"&Body=\xff",
        form() + b"&Body=%ff",
    ]
    callbacks: ClassVar[list[tuple[bytes, list[CallbackEvent]]]] = [
        (status("sent"), [receipt("sent")]),
        (status("delivered", RawDlrDoneDate="2603011200"), [receipt("delivered")]),
        (status("read"), [receipt("read")]),
        (
            status("undelivered", ErrorCode="30003", ErrorMessage="Unreachable"),
            [receipt("failed", RecipientRejected("30003", "Unreachable"))],
        ),
        (status("failed", ErrorCode="30008"), [receipt("failed", Transient("30008"))]),
        (status("failed", ErrorCode="21610"), [receipt("failed", RecipientRejected("21610", opted_out=True))]),
        *(
            (status("failed", **code), [receipt("failed", MessageRejected("", "The provider gave no reason."))])
            for code in ({}, {"ErrorCode": ""}, {"ErrorCode": "soon"}, {"ErrorCode": "9" * 7}, {"ErrorCode": "٣"})
        ),
        (
            status("canceled"),
            [receipt("failed", MessageRejected("canceled", "It was cancelled at the provider."))],
        ),
        *((status(word), []) for word in ("accepted", "scheduled", "queued", "sending", "receiving", "x")),
        (form(SmsStatus="sent"), [receipt("sent")]),
        (written(), [inbound("Olá & até")]),
        (written(SmsStatus=None, SmsMessageSid=None), [inbound("Olá & até")]),
        (written(Body="a\0b"), [inbound("ab")]),
        (written(From=None), []),
        (written(Body=""), []),
        (
            written(
                Body="Veja", NumMedia="3",
                MediaUrl0=PHOTO, MediaContentType0="image/jpeg",
                MediaUrl1=f"{PHOTO}1", MediaContentType1="application/pdf",
                MediaUrl2=f"{PHOTO}2",
            ),
            [
                inbound("Veja", Media(MediaKind.IMAGE, PHOTO, media_type="image/jpeg")),
                inbound("", Media(MediaKind.DOCUMENT, f"{PHOTO}1", media_type="application/pdf"), f"{SID}/1"),
                inbound("", Media(MediaKind.DOCUMENT, f"{PHOTO}2"), f"{SID}/2"),
            ],
        ),
        (
            written(Body=None, MediaUrl0=PHOTO, MediaContentType0="audio/amr"),
            [inbound("", Media(MediaKind.AUDIO, PHOTO, media_type="audio/amr"))],
        ),
    ]  # fmt: skip

    def call(self, body: bytes, headers: Mapping[str, str] | None = None) -> Callback:
        return Callback(f"{OURS}?message={MESSAGE_ID}", CIMultiDict(headers or {}), body)

    def signed(self, body: bytes, credentials: Mapping[str, str]) -> dict[str, str]:
        """By Twilio's own library."""
        fields = MultiDict(parse_qsl(body.decode(), keep_blank_values=True))
        validator = RequestValidator(credentials["auth_token"])
        return {"X-Twilio-Signature": validator.compute_signature(self.call(body).url, fields)}

    def refusal_quoting(self, words: str) -> bytes:
        return b'{"code": 21617, "message": "%s"}' % words.encode()

    def read_body(self, request: Request) -> Any:
        return dict(parse_qsl(request.body.decode(), strict_parsing=True))

    def sent(self, **changes: Any) -> Any:
        return self.read_body(self.connector().build_request(replace(self.outbound(), **changes)))

    # Where Twilio is not as the others

    def test_hostile_callback_never_fails_in_another_way(self) -> None:
        """Forms know neither types nor depth: there is less that can be wrong with them."""
        connector = self.connector()
        for original, _ in self.callbacks:
            for name in dict(parse_qsl(original.decode(), keep_blank_values=True)):
                for instead in map(str, HOSTILE):
                    body = urlencode(dict(parse_qsl(original.decode())) | {name: instead}).encode()
                    self.read_or_refuse(connector, body)
                    self.read_or_refuse(connector, original + b"&" + urlencode({name: instead}).encode())

    # Sending

    def test_request_is_twilios(self) -> None:
        request = self.connector().build_request(self.outbound())
        assert request.url == f"https://provider.example/v1/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        pair = f"{ACCOUNT}:{self.credentials['auth_token']}".encode()
        assert request.headers == {
            "Authorization": f"Basic {b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        check = self.connector().build_check(self.credentials)
        assert check.url == f"https://provider.example/v1/2010-04-01/Accounts/{ACCOUNT}.json"

    def test_messaging_service_chooses_the_sender(self) -> None:
        sent = self.sent(credentials=self.credentials | {"sender": SERVICE})
        assert sent == {"To": TO, "MessagingServiceSid": SERVICE, "Body": TEXT}

    @pytest.mark.parametrize("sender", ["PADARIA", "12345", "MG", "MG" + "z" * 32])
    def test_other_senders_are_named_as_they_are(self, sender: str) -> None:
        assert self.sent(credentials=self.credentials | {"sender": sender})["From"] == sender

    def test_message_says_where_its_receipts_name_it(self) -> None:
        address = self.sent(callback_url=OURS)["StatusCallback"]
        (receipt,) = self.connector().events_of(Callback(address, {}, status("delivered")))
        assert address == f"{OURS}?message={MESSAGE_ID}"
        assert isinstance(receipt, Receipt)
        assert receipt.message_id == MESSAGE_ID
        assert "StatusCallback" not in self.sent(callback_url="")

    # Callbacks

    @pytest.mark.parametrize(
        "address",
        [OURS, f"{OURS}?message=", f"{OURS}?message=of+another", f"{OURS}?other={MESSAGE_ID}", "http://[", ""],
    )
    def test_receipt_that_names_no_message_of_ours_is_told_by_twilios_id(self, address: str) -> None:
        (receipt,) = self.connector().events_of(Callback(address, {}, status("sent")))
        assert isinstance(receipt, Receipt)
        assert (receipt.message_id, receipt.provider_id) == (None, SID)

    def test_callback_to_another_address_is_not_believed(self) -> None:
        """Or whoever has seen one receipt could settle any message with it."""
        body = status("delivered")
        headers = CIMultiDict(self.signed(body, self.credentials))
        for address in (OURS, f"{OURS}?message={ACCOUNT}", f"https://other.example/?message={MESSAGE_ID}"):
            assert not self.connector().verify_callback(Callback(address, headers, body), self.credentials)

    def test_form_that_is_none_is_not_believed(self) -> None:
        for body in self.foreign[-3:]:
            assert not self.verified({"X-Twilio-Signature": "x"}, body)

    def test_no_more_fields_are_read_than_a_message_has(self) -> None:
        many = "&".join(f"Field{n}=" for n in range(190)).encode()
        assert list(self.connector().events_of(self.call(status("sent") + b"&" + many)))
        with pytest.raises(BadCallback):
            list(self.connector().events_of(self.call(status("sent") + b"&" + many + b"&" + many)))

    # Credentials

    @pytest.mark.parametrize(
        "sid", ["", "AC", "AC" + "g" * 32, "SK" + "0" * 32, ACCOUNT + "/", f"{ACCOUNT}/../x", f" {ACCOUNT}"]
    )
    def test_credentials_that_cannot_be_any_are_said_to_be_none(self, sid: str) -> None:
        kind = type(self.connector())
        assert kind.bad_credentials(self.credentials) == {}
        assert set(kind.bad_credentials(self.credentials | {"account_sid": sid})) == {"account_sid"}
