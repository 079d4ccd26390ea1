from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from apps.channels.callback import Inbound, Receipt, ReceiptStatus
from apps.channels.content import Button, Content, Media, MediaKind
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
from tests.channels import meta_suite
from tests.channels.connector_suite import LINK, TEXT, TO, Refusal

ACCOUNT = CREDENTIALS["instagram"]["instagram_id"]
PERSON = "24500000000000001"
MID = "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE"
THEIRS = "aWdfZAG1faXRlbToxOklHTWVzc2FnZATheirs"
PHOTO = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=" + "x" * 300
AT = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def refused(code: int, error: type[SendFailed], status: int = 400, *, subcode: Any = None, **has: Any) -> Refusal:
    body = {"error": {"message": "Words.", "type": "IGApiException", "code": code, "error_subcode": subcode}}
    return Refusal(status, orjson.dumps(body), error, str(code), {"detail": "Words."} | has)


def event(**values: Any) -> dict[str, Any]:
    people = {"sender": {"id": PERSON}, "recipient": {"id": ACCOUNT}}
    return people | {"timestamp": int(AT.timestamp() * 1000)} | values


def callback(*events: Any) -> bytes:
    entry = {"id": ACCOUNT, "time": 1772366400123, "messaging": list(events)}
    return orjson.dumps({"object": "instagram", "entry": [entry]})


def echo(mid: Any = MID) -> dict[str, Any]:
    people = {"sender": {"id": ACCOUNT}, "recipient": {"id": PERSON}}
    return event(message={"mid": mid, "is_echo": True, "text": "Pronto"}) | people


def written(**values: Any) -> dict[str, Any]:
    return event(message={"mid": THEIRS} | values)


def attached(*attachments: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"type": kind, "payload": {"url": url}} for kind, url in attachments]


def inbound(text: str = "", media: Media | None = None, **values: Any) -> Inbound:
    return replace(Inbound(ACCOUNT, THEIRS, PERSON, AT, text, media), **values)


class TestInstagram(meta_suite.MetaSuite):
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
            # What is neither a receipt nor a message is passed over.
            callback(
                echo(""), echo("a\0b"), echo(7), None, [], "read", written(is_deleted=True), event(message=[]),
                event(read={"mid": "a" * 256}), event(reaction={"mid": MID, "emoji": "❤"}), event(referral={}),
                event(message={"text": "Oi"}), written(text="Oi") | {"sender": None},
                event(postback={"title": "x"}), event(read={"mid": "another"}),
            ),
            [Receipt(ACCOUNT, "another", ReceiptStatus.READ, AT)],
        ),
        (
            callback(written(text="Oi"), echo(), written(text="Esse", reply_to={"mid": MID})),
            [inbound("Oi"), Receipt(ACCOUNT, MID, ReceiptStatus.SENT, AT), inbound("Esse", answers=MID)],
        ),
        (
            callback(
                written(attachments=attached(("image", PHOTO))),
                written(attachments=attached(("audio", PHOTO))),
                written(attachments=attached(("file", PHOTO)), text="Veja"),
                # There is one place for media: no other link is lost.
                written(
                    attachments=attached(("image", PHOTO), ("video", LINK), ("share", LINK), ("x" * 300, None))
                ),
                written(attachments=attached(("story_mention", LINK), ("video", PHOTO))),
            ),
            [
                inbound("", Media(MediaKind.IMAGE, PHOTO)),
                inbound("", Media(MediaKind.AUDIO, PHOTO)),
                inbound("Veja", Media(MediaKind.DOCUMENT, PHOTO)),
                inbound(f"[video] {LINK}\n[share] {LINK}\n[{'x' * 200}]", Media(MediaKind.IMAGE, PHOTO)),
                inbound(f"[story_mention] {LINK}", Media(MediaKind.VIDEO, PHOTO)),
            ],
        ),
        (
            callback(
                written(text="Sim", quick_reply={"payload": "yes"}),
                event(postback={"mid": THEIRS, "title": "Falar", "payload": "talk"}),
                # Never lost in silence.
                written(is_unsupported=True), written(), written(text=7, attachments="none"),
                written(attachments=attached(("image", "a\0b"), ("image", "x" * 3000))),
            ),
            [
                inbound("Sim", button="yes"), inbound("Falar", button="talk"),
                inbound("[unsupported]"), inbound("[unsupported]"), inbound("[unsupported]"),
                inbound("[image]\n[image]"),
            ],
        ),
    ]  # fmt: skip
    contents = [
        (Content(TEXT), {"recipient": {"id": TO}, "message": {"text": TEXT}}),
        *(
            (
                Content(media=Media(kind, LINK)),
                {
                    "recipient": {"id": TO},
                    "message": {"attachment": {"type": kind.value, "payload": {"url": LINK}}},
                },
            )
            for kind in (MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO)
        ),
        (
            Content("Vem?", buttons=(Button("yes", "Sim"),)),
            {
                "recipient": {"id": TO},
                "message": {
                    "text": "Vem?",
                    "quick_replies": [{"content_type": "text", "title": "Sim", "payload": "yes"}],
                },
            },
        ),
        (
            Content(media=Media(MediaKind.IMAGE, LINK), buttons=(Button("yes", "Sim"),)),
            {
                "recipient": {"id": TO},
                "message": {
                    "attachment": {"type": "image", "payload": {"url": LINK}},
                    "quick_replies": [{"content_type": "text", "title": "Sim", "payload": "yes"}],
                },
            },
        ),
    ]

    def test_request_is_metas(self) -> None:
        request = self.connector().build_request(self.outbound())
        assert request.url == f"https://provider.example/v1/{ACCOUNT}/messages"
        assert request.headers["Authorization"] == f"Bearer {self.credentials['access_token']}"
        assert orjson.loads(request.body) == {"recipient": {"id": TO}, "message": {"text": TEXT}}

    def test_answer_names_the_message_that_it_answers(self) -> None:
        request = self.connector().build_request(replace(self.outbound(), answers=THEIRS))
        assert orjson.loads(request.body) == {
            "recipient": {"id": TO}, "message": {"text": TEXT}, "reply_to": {"mid": THEIRS},
        }  # fmt: skip

    def test_receipt_without_a_time_was_received_now(self) -> None:
        timestamps: list[Any] = [None, "soon", -1, 10**15, 1.5, []]
        for timestamp in timestamps:
            body = callback(event(read={"mid": MID}, timestamp=timestamp))
            (read,) = self.connector().events_of(self.call(body))
            assert isinstance(read, Receipt)
            assert abs((read.at - clock.now()).total_seconds()) < 60
