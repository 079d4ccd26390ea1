"""What WhatsApp calls back with, and what is to be made of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from apps.channels.callback import CallbackEvent, Inbound, Moved, Receipt, ReceiptStatus
from apps.channels.content import Media, MediaKind
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import MESSAGE_ID

NUMBER = CREDENTIALS["whatsapp_cloud"]["phone_number_id"]
# Of a message of ours, and of one of theirs.
WAMID = "wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjQ5"
THEIRS = "wamid.HBgNNTUxMTk4NzY1NDMyMRUCABIYFDNB"
JOAO = "5511987654321"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


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


def written(kind: str, said: Any = None, **values: Any) -> dict[str, Any]:
    """A person's message, as Meta tells it."""
    told = {"from": JOAO, "id": THEIRS, "timestamp": str(int(AT.timestamp())), "type": kind}
    return told | ({} if said is None else {kind: said}) | values


def heard(*messages: Any) -> bytes:
    return callback(statuses=[], contacts=[{"profile": {"name": "João"}, "wa_id": JOAO}], messages=list(messages))


def inbound(text: str = "", media: Media | None = None, **values: Any) -> Inbound:
    return replace(Inbound(NUMBER, THEIRS, f"+{JOAO}", AT, text, media, "João"), **values)


MESSAGES: list[tuple[bytes, list[CallbackEvent]]] = [
    (heard(written("text", {"body": "Oi"})), [inbound("Oi")]),
    (
        heard(written("text", {"body": "Quero"}, context={"from": "15550783881", "id": WAMID})),
        [inbound("Quero", answers=WAMID)],
    ),
    (
        heard(
            written("image", {"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "Esta"}),
            written("audio", {"id": "2", "mime_type": "audio/ogg; codecs=opus", "voice": True}),
            written("video", {"id": "3"}),
            written("document", {"id": "4", "filename": "nota.pdf", "mime_type": "application/pdf"}),
            written("sticker", {"id": "5", "mime_type": "image/webp", "animated": False}),
        ),
        [
            inbound("Esta", Media(MediaKind.IMAGE, "1", "", "image/jpeg")),
            inbound("", Media(MediaKind.AUDIO, "2", "", "audio/ogg; codecs=opus")),
            inbound("", Media(MediaKind.VIDEO, "3")),
            inbound("", Media(MediaKind.DOCUMENT, "4", "nota.pdf", "application/pdf")),
            inbound("", Media(MediaKind.IMAGE, "5", "", "image/webp")),
        ],
    ),
    (
        heard(
            written("interactive", {"type": "button_reply", "button_reply": {"id": "yes", "title": "Sim"}}),
            written("interactive", {"type": "list_reply", "list_reply": {"id": "2", "title": "Dois"}}),
            written("button", {"payload": "stop", "text": "Parar"}),
            written("interactive", {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent"}}),
        ),
        [
            inbound("Sim", button="yes"),
            inbound("Dois", button="2"),
            inbound("Parar", button="stop"),
            inbound("Sent"),
        ],
    ),
    (
        heard(
            written("location", {"latitude": -23.5, "longitude": -46, "name": "Padaria", "address": "Rua 1"}),
            written("location", {"latitude": 0, "longitude": 1.25}),
            written(
                "contacts",
                [
                    {"name": {"formatted_name": "Ana"}, "phones": [{"phone": "+55 11 98888-0001"}]},
                    {"name": {"formatted_name": "Bia"}},
                    {"phones": "none"},
                ],
            ),
        ),
        [inbound("Padaria, Rua 1, -23.5, -46"), inbound("0, 1.25"), inbound("Ana, +55 11 98888-0001\nBia")],
    ),
    (
        # Never lost in silence: what we do not know, and what we know but cannot read.
        heard(
            written("unsupported", errors=[{"code": 131051}]), written("hologram", {"id": "7"}),
            written("image", {"caption": "Onde?"}), written("video", {"id": "a\0b"}), written("location", {}),
            written("text", {"body": 7}), written("order"), written("")
        ),
        [
            inbound("[unsupported]"), inbound("[hologram]"), inbound("Onde?"), inbound("[video]"),
            inbound("[location]"), inbound("[text]"), inbound("[order]"),
            inbound("[unknown]"),
        ],
    ),
    (
        # No messages: a reaction, what has no sender or no id, what is no message at all.
        heard(
            written("reaction", {"message_id": WAMID, "emoji": "👍"}), written("text", {"body": "x"}, id=""),
            written("text", {"body": "x"}, **{"from": None}), None, "text", 7,
            written("system", {"type": "user_identity_changed", "wa_id": JOAO}), written("system"),
        ),
        [],
    ),
    (
        heard(written("system", {"body": "João moved", "wa_id": "5511900000009", "type": "user_changed_number"})),
        [Moved(NUMBER, f"+{JOAO}", "+5511900000009")],
    ),
    (
        # Who hides their number; and somebody who is not among the contacts.
        callback(contacts=[{"profile": {"name": "Bia"}, "user_id": "BR.13491208655302741918"}], messages=[
            written("text", {"body": "Oi"}, **{"from": None, "from_user_id": "BR.13491208655302741918"}),
            written("text", {"body": "Oi"})]),
        [inbound("Oi", sender="BR.13491208655302741918", sender_name="Bia"), inbound("Oi", sender_name="")],
    ),
    (
        # Receipts and messages in one.
        callback(status("read"), contacts=[{"profile": {"name": "João"}, "wa_id": JOAO}],
                 messages=[written("text", {"body": "Oi"})]),
        [receipt("read"), inbound("Oi")],
    ),
]  # fmt: skip
