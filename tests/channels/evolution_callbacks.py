"""What Evolution calls us with: what became of messages, and what people write, with what is to be understood."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import ANY

import orjson

from apps.channels.callback import CallbackEvent, Inbound, Receipt, ReceiptStatus
from apps.channels.content import Media, MediaKind
from apps.channels.errors import SendFailed
from tests.cast import CREDENTIALS
from tests.channels.connector_suite import LINK

INSTANCE = CREDENTIALS["evolution"]["instance"]
API_KEY = CREDENTIALS["evolution"]["api_key"]
JOAO = "5511987654321"
KEY = "3EB0C767D097E9ECFE94"
THEIRS = "3A5F0E2A9B7C"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
IMAGE = {"url": "https://mmg.whatsapp.net/x.enc", "mimetype": "image/jpeg", "jpegThumbnail": "/9j/"}
CARD = f"BEGIN:VCARD\nVERSION:3.0\nFN:Bia\nTEL;type=CELL;waid={JOAO}:+55 11 98765-4321\nEND:VCARD"


def told(event: str, data: Any, **changes: Any) -> bytes:
    envelope = {
        "event": event,
        "instance": INSTANCE,
        "data": data,
        "destination": "https://recado.example/v1/hooks/evolution/1",
        "date_time": "2026-03-01T09:00:00.000Z",
        "sender": "5511900000000@s.whatsapp.net",
        "server_url": "http://localhost:8080",
        "apikey": API_KEY,
    }
    return orjson.dumps(envelope | changes)


def update(status: Any, **changes: Any) -> dict[str, Any]:
    known = {
        "keyId": KEY,
        "remoteJid": f"{JOAO}@s.whatsapp.net",
        "fromMe": True,
        "instanceId": "1",
        "messageId": "c1",
    }
    return known | {"status": status} | changes


def receipt(word: str, error: SendFailed | None = None) -> CallbackEvent:
    return Receipt("", KEY, ReceiptStatus(word), ANY, error=error)


def key(**changes: Any) -> dict[str, Any]:
    return {"remoteJid": f"{JOAO}@s.whatsapp.net", "fromMe": False, "id": THEIRS} | changes


def written(message: Any, **changes: Any) -> dict[str, Any]:
    known = {"key": key(), "pushName": "João", "status": "DELIVERY_ACK", "message": message, "contextInfo": None}
    return known | {"messageType": "conversation", "messageTimestamp": int(AT.timestamp())} | changes


def inbound(text: str = "", media: Media | None = None, **changes: Any) -> CallbackEvent:
    return replace(Inbound("", THEIRS, f"+{JOAO}", AT, text, media, "João"), **changes)


SAID: list[tuple[dict[str, Any], CallbackEvent]] = [
    (written({"conversation": "Oi"}), inbound("Oi")),
    (written({"extendedTextMessage": {"text": "Oi"}}), inbound("Oi")),
    (written({"conversation": "a\0b"}), inbound("ab")),
    (
        written({"conversation": "Sim"}, contextInfo={"stanzaId": KEY, "quotedMessage": {}}),
        inbound("Sim", answers=KEY),
    ),
    (
        written({"extendedTextMessage": {"text": "Sim", "contextInfo": {"stanzaId": KEY}}}),
        inbound("Sim", answers=KEY),
    ),
    (written({"conversation": "Sim"}, contextInfo={"stanzaId": "a\0b"}), inbound("Sim")),
    (written({"ephemeralMessage": {"message": {"conversation": "Oi"}}}), inbound("Oi")),
    # Without files of Evolution's own, the message is where its picture is found.
    (
        written({"imageMessage": IMAGE | {"caption": "Olha"}}),
        inbound("Olha", Media(MediaKind.IMAGE, THEIRS, "", "image/jpeg")),
    ),
    (
        written({"imageMessage": IMAGE, "mediaUrl": LINK}),
        inbound("", Media(MediaKind.IMAGE, LINK, "", "image/jpeg")),
    ),
    (
        written({"viewOnceMessageV2": {"message": {"videoMessage": {}}}}),
        inbound("", Media(MediaKind.VIDEO, THEIRS)),
    ),
    (written({"ptvMessage": {}}), inbound("", Media(MediaKind.VIDEO, THEIRS))),
    (written({"stickerMessage": {}}), inbound("", Media(MediaKind.IMAGE, THEIRS))),
    (written({"audioMessage": {"ptt": True}}), inbound("", Media(MediaKind.AUDIO, THEIRS))),
    (
        written({"documentMessage": {"fileName": "nota.pdf", "mimetype": "application/pdf"}}),
        inbound("", Media(MediaKind.DOCUMENT, THEIRS, "nota.pdf", "application/pdf")),
    ),
    (
        written({"locationMessage": {"degreesLatitude": -23.5, "degreesLongitude": -46}}),
        inbound("-23.5, -46"),
    ),
    (written({"contactMessage": {"displayName": "Bia", "vcard": CARD}}), inbound(f"Bia, +{JOAO}")),
    (written({"contactMessage": {"displayName": "Bia", "vcard": ""}}), inbound("Bia")),
    # Never lost in silence.
    (written({"messageContextInfo": {}, "pollCreationMessageV3": {"name": "?"}}), inbound("[pollCreation]")),
    (written({"conversation": "Oi"}, pushName=None), inbound("Oi", sender_name="")),
    (written({"conversation": "Oi"}, key=key(remoteJid=f"{JOAO}:12@s.whatsapp.net")), inbound("Oi")),
    (
        written({"conversation": "Oi"}, key=key(remoteJid="77@lid", remoteJidAlt=f"{JOAO}@s.whatsapp.net")),
        inbound("Oi"),
    ),
    (
        written({"conversation": "Oi"}, key=key(remoteJid="77@lid", senderPn=f"{JOAO}@s.whatsapp.net")),
        inbound("Oi"),
    ),
    (written({"conversation": "Oi"}, messageTimestamp=str(int(AT.timestamp()))), inbound("Oi")),
]
PASSED_OVER: list[Any] = [
    written({"conversation": "Oi"}, key=key(fromMe=True)),
    written({"conversation": "Oi"}, key=key(remoteJid="120363@g.us", participant=f"{JOAO}@s.whatsapp.net")),
    written({"conversation": "Oi"}, key=key(remoteJid="120363@g.us", senderPn=f"{JOAO}@s.whatsapp.net")),
    written({"conversation": "Oi"}, key=key(remoteJid="status@broadcast")),
    written({"conversation": "Oi"}, key=key(remoteJid="77@lid")),
    written({"conversation": "Oi"}, key=key(remoteJid="٥٥١١٩٨٧٦٥٤٣٢١@s.whatsapp.net")),
    written({"conversation": "Oi"}, key=key(id="")),
    written({"conversation": "Oi"}, key=key(id="a\0b")),
    written({"reactionMessage": {"text": "❤", "key": {"id": KEY}}}),
    written({"protocolMessage": {"type": 0}}),
    written({"messageContextInfo": {}}),
    written({}),
    written(None),
    None,
    "x",
]
