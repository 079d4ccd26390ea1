"""What people write over WhatsApp, as Baileys tells it: the library by which Evolution speaks WhatsApp."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apps.channels.callback import Inbound, is_storable_id, storable_text
from apps.channels.content import Media, MediaKind
from apps.core import clock

_PERSON = re.compile(r"([1-9][0-9]{5,14})(?::[0-9]+)?@s\.whatsapp\.net")
_NUMBER_IN_A_CARD = re.compile(r"waid=([0-9]{6,15})")
_MEDIA = {
    "imageMessage": MediaKind.IMAGE,
    "stickerMessage": MediaKind.IMAGE,
    "videoMessage": MediaKind.VIDEO,
    "ptvMessage": MediaKind.VIDEO,
    "audioMessage": MediaKind.AUDIO,
    "documentMessage": MediaKind.DOCUMENT,
}
# What people do to a message that is there, and what only comes along with one.
_NOT_SAID = frozenset(
    {
        "reactionMessage",
        "encReactionMessage",
        "protocolMessage",
        "editedMessage",
        "pollUpdateMessage",
        "pinInChatMessage",
        "keepInChatMessage",
        "senderKeyDistributionMessage",
    }
)
_KIND = re.compile(r"(\w+)Message(V[0-9])?")
# Around messages that vanish.
_WRAPPERS = ("ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2")


def written(data: Mapping[str, Any]) -> Inbound | None:
    """None where no person wrote to us alone, or where they said nothing: put a heart on a message, say."""
    match data:
        case {"key": {"id": str(provider_id), "fromMe": False} as key, "message": dict(message)}:
            message = _unwrapped(message)
        case _:
            return None
    sender, media = _sender(key), _media(message, provider_id)
    text = _text(message) or ("" if media else _kind(message))
    if not (sender and is_storable_id(provider_id) and (text or media)):
        return None
    return Inbound(
        "",
        provider_id,
        sender,
        _moment(data.get("messageTimestamp")),
        text,
        media,
        _field(data, "pushName"),
        _answered(data, message),
    )


def _sender(key: Mapping[str, Any]) -> str:
    """The number of whoever wrote; empty for groups, for what is shown to all, and where the number is hidden."""
    address = key.get("remoteJid")
    if isinstance(address, str) and address.endswith("@lid"):
        address = key.get("remoteJidAlt") or key.get("senderPn")
    found = _PERSON.fullmatch(address) if isinstance(address, str) else None
    return f"+{found[1]}" if found else ""


def _unwrapped(message: dict[str, Any]) -> dict[str, Any]:
    for name in _WRAPPERS:
        match message.get(name):
            case {"message": dict(inside)}:
                return inside
    return message


def _text(message: Mapping[str, Any]) -> str:
    match message:
        case {"conversation": str(text)} | {"extendedTextMessage": {"text": str(text)}}:
            return storable_text(text)
        case {
            "locationMessage": {
                "degreesLatitude": int() | float() as latitude, "degreesLongitude": int() | float() as longitude,
            }
        }:  # fmt: skip
            return f"{latitude}, {longitude}"
        case {"contactMessage": {"displayName": str(name), "vcard": str(card)}}:
            number = _NUMBER_IN_A_CARD.search(card)
            return storable_text(f"{name}, +{number[1]}" if number else name)
    captions = (part.get("caption") for part in map(message.get, _MEDIA) if isinstance(part, dict))
    return next((storable_text(caption) for caption in captions if isinstance(caption, str)), "")


def _kind(message: Mapping[str, Any]) -> str:
    """Of what nobody here can show, so that it is not lost in silence."""
    kinds = (_KIND.fullmatch(name) for name in message if name not in _NOT_SAID)
    return next((storable_text(f"[{kind[1]}]") for kind in kinds if kind), "")


def _media(message: Mapping[str, Any], provider_id: str) -> Media | None:
    for name, kind in _MEDIA.items():
        if isinstance(part := message.get(name), dict):
            # Only where Evolution keeps files is there an address; else it is asked for the message's.
            return Media(
                kind,
                _field(message, "mediaUrl") or provider_id,
                _field(part, "fileName"),
                _field(part, "mimetype"),
            )
    return None


def _answered(data: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    """The id of the message that is quoted, which is told beside the message or within its part."""
    for holder in (data, *message.values()):
        match holder:
            case {"contextInfo": {"stanzaId": str(quoted)}} if is_storable_id(quoted):
                return quoted
    return ""


def _field(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    return storable_text(value) if isinstance(value, str) else ""


def _moment(seconds: object) -> datetime:
    """Since 1970, as a number or as text; now, where Evolution does not say."""
    text = str(seconds) if isinstance(seconds, str | int) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return clock.now()
    return datetime.fromtimestamp(int(text), UTC)
