from dataclasses import replace
from typing import Any

import orjson
import pytest

from apps.channels.callback import Receipt
from apps.channels.content import Button, Content, Media, MediaKind, ProviderTemplate
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.core import clock
from tests.channels import meta_suite
from tests.channels.connector_suite import LINK, MESSAGE_ID, TEXT, Refusal
from tests.channels.loopback_provider import answer
from tests.channels.whatsapp_callbacks import JOAO, MESSAGES, NUMBER, WAMID, callback, receipt, status

YES, NO = Button("yes", "Sim"), Button("no", "Não")
REPLIES = [
    {"type": "reply", "reply": {"id": "yes", "title": "Sim"}},
    {"type": "reply", "reply": {"id": "no", "title": "Não"}},
]
COMPONENTS = ({"type": "body", "parameters": [{"type": "text", "text": "João"}]},)


def refused(
    code: int, error: type[SendFailed], status: int = 400, *, subcode: int | None = None, **has: Any
) -> Refusal:
    body = {"error": {"message": f"(#{code}) Title", "type": "OAuthException", "code": code, "fbtrace_id": "x"}}
    if subcode:
        body["error"]["error_subcode"] = subcode
    return Refusal(status, orjson.dumps(body), error, str(code), has)


def sent(kind: str, said: Any) -> dict[str, Any]:
    """The body of a request."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": JOAO,
        "type": kind,
        kind: said,
        "biz_opaque_callback_data": str(MESSAGE_ID),
    }


class TestWhatsappCloud(meta_suite.MetaSuite):
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
        *(refused(code, Transient) for code in (1, 2, 131000, 131016, 131053, 131057)),
        refused(999999, Transient, 500),
        *(refused(code, AccountRejected) for code in (0, 3, 10, 33, 190, 200, 299, 368, 131005, 131031)),
        *(refused(code, AccountRejected) for code in (131037, 131042, 131045, 131048, 133010)),
        refused(100, AccountRejected, 404, subcode=33),
        # By the code, whatever the status says.
        refused(190, AccountRejected, 500),
        refused(131026, RecipientRejected, opted_out=False),
        refused(131026, RecipientRejected, 500),
        refused(131050, RecipientRejected, opted_out=True),
        *(refused(code, RecipientRejected, opted_out=False) for code in (130497, 131021, 131030)),
        *(refused(code, MessageRejected) for code in (100, 131008, 131047, 131051, 132000, 132001, 300, 424242)),
    ]
    foreign = [
        b'{"object": "instagram", "entry": []}',
        b'{"object": ["whatsapp_business_account"]}',
        b'[{"object": "whatsapp_business_account"}]',
    ]
    callbacks = [
        (
            callback(status("sent"), status("delivered"), status("read"), status("played")),
            [receipt("sent"), receipt("delivered"), receipt("read"), receipt("read")],
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
        *MESSAGES,
    ]  # fmt: skip
    contents = [
        (Content(TEXT), sent("text", {"body": TEXT})),
        (
            Content("Olha", media=Media(MediaKind.IMAGE, LINK, "a.png", "image/png")),
            sent("image", {"link": LINK, "caption": "Olha"}),
        ),
        (Content(media=Media(MediaKind.AUDIO, LINK)), sent("audio", {"link": LINK})),
        (Content(media=Media(MediaKind.VIDEO, LINK)), sent("video", {"link": LINK})),
        (Content(media=Media(MediaKind.DOCUMENT, LINK)), sent("document", {"link": LINK})),
        (
            Content("Aqui", media=Media(MediaKind.DOCUMENT, LINK, "nota.pdf")),
            sent("document", {"link": LINK, "filename": "nota.pdf", "caption": "Aqui"}),
        ),
        (
            Content("Vem?", buttons=(YES, NO)),
            sent("interactive", {"type": "button", "body": {"text": "Vem?"}, "action": {"buttons": REPLIES}}),
        ),
        (
            Content("Vem?", media=Media(MediaKind.DOCUMENT, LINK, "nota.pdf"), buttons=(YES, NO)),
            sent(
                "interactive",
                {
                    "type": "button",
                    "header": {"type": "document", "document": {"link": LINK, "filename": "nota.pdf"}},
                    "body": {"text": "Vem?"},
                    "action": {"buttons": REPLIES},
                },
            ),
        ),
        (
            Content("Olá, João", template=ProviderTemplate("greeting", "pt_BR", COMPONENTS)),
            sent(
                "template",
                {"name": "greeting", "language": {"code": "pt_BR"}, "components": list(COMPONENTS)},
            ),
        ),
        (
            Content("Olá", template=ProviderTemplate("hello", "pt_BR")),
            sent("template", {"name": "hello", "language": {"code": "pt_BR"}}),
        ),
    ]

    def test_request_is_metas(self) -> None:
        request = self.connector().build_request(self.outbound())
        assert request.url == f"https://provider.example/v1/{NUMBER}/messages"
        assert request.headers["Authorization"] == f"Bearer {self.credentials['access_token']}"
        assert orjson.loads(request.body) == sent("text", {"body": TEXT})

    def test_answer_names_the_message_that_it_answers(self) -> None:
        request = self.connector().build_request(replace(self.outbound(), answers=WAMID))
        assert orjson.loads(request.body) == sent("text", {"body": TEXT}) | {"context": {"message_id": WAMID}}

    @pytest.mark.parametrize("content", [
        Content("Ouça", media=Media(MediaKind.AUDIO, LINK), buttons=(YES,)),
        Content(media=Media(MediaKind.IMAGE, LINK), buttons=(YES,)),
    ])  # fmt: skip
    def test_buttons_that_whatsapp_would_refuse_are_not_sent(self, content: Content) -> None:
        with pytest.raises(MessageRejected):
            self.connector().build_request(self.outbound(content))

    def test_details_of_a_refusal_are_preferred_to_its_title(self) -> None:
        body = b'{"error": {"code": 100, "message": "Invalid", "error_data": {"details": "Give a body."}}}'
        assert self.connector().classify(answer(400, body)).detail == "Give a body."

    @pytest.mark.parametrize("timestamp", [None, "", "soon", "-1", "9" * 30, [], {"x": 1}, 1.5])
    def test_receipt_without_a_time_was_received_now(self, timestamp: Any) -> None:
        (read,) = self.connector().events_of(self.call(callback(status("read", timestamp=timestamp))))
        assert isinstance(read, Receipt)
        assert abs((read.at - clock.now()).total_seconds()) < 60
