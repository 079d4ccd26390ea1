"""What WhatsApp takes as the content of a message, as far as Recado and its tests send it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from apps.channels.simulators.graph import GraphError, Rejected, is_link, json_text, noted

_LONGEST_TEXT = 4096
_LONGEST_CAPTION = 1024
_LONGEST_BODY = 1024
_LONGEST_FOOTER = 60
_LONGEST_TITLE = 20
_LONGEST_ID = 256
_MOST_BUTTONS = 3
_MEDIA = frozenset({"image", "audio", "video", "document", "sticker"})
_WITH_CAPTION = frozenset({"image", "video", "document"})
_HEADERS = frozenset({"text", "image", "video", "document"})
_COMPONENTS = frozenset({"header", "body", "footer", "button", "carousel", "limited_time_offer", "order_status"})
_TEMPLATE_NAME = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")


def read_content(body: Mapping[str, Any]) -> str:
    """The words, and in brackets what goes with them; what we know nothing about is kept as its JSON."""
    kind = body.get("type", "text")
    if not isinstance(kind, str):
        raise invalid("type")
    said = _object(body, kind, kind)
    match kind:
        case "text":
            return _text(said, "body", "text.body", _LONGEST_TEXT)
        case "template":
            return f"[template] {_template(said)}"
        case "interactive" if said.get("type") == "button":
            return _buttons(said)
        case _ if kind in _MEDIA:
            return _media(kind, said)
    return f"[{kind}] {json_text(said)}"


def _media(kind: str, said: Mapping[str, Any]) -> str:
    where, caption = _place(kind, said), ""
    if "caption" in said:
        if kind not in _WITH_CAPTION:
            raise invalid(f"{kind}.caption")
        caption = _text(said, "caption", f"{kind}.caption", _LONGEST_CAPTION)
    return noted(caption, f"{kind} {where}")


def _place(kind: str, said: Mapping[str, Any]) -> str:
    """Where the media lies: at a link, or with WhatsApp under an id."""
    link, media_id = said.get("link"), said.get("id")
    if not link and not media_id:
        raise missing(f"{kind}.link")
    if link and media_id:
        raise invalid(f"{kind}.id")
    if link and not is_link(link):
        raise invalid(f"{kind}.link")
    if media_id and not isinstance(media_id, str):
        raise invalid(f"{kind}.id")
    if "filename" in said and (kind != "document" or not isinstance(said["filename"], str)):
        raise invalid(f"{kind}.filename")
    return str(link or media_id)


def _buttons(said: Mapping[str, Any]) -> str:
    words = _text(_object(said, "body", "interactive.body"), "text", "interactive.body.text", _LONGEST_BODY)
    if "footer" in said:
        footer = _object(said, "footer", "interactive.footer")
        words += "\n" + _text(footer, "text", "interactive.footer.text", _LONGEST_FOOTER)
    notes = []
    if "header" in said:
        header = _object(said, "header", "interactive.header")
        kind = header.get("type")
        if not isinstance(kind, str) or kind not in _HEADERS:
            raise invalid("interactive.header.type")
        if kind == "text":
            words = _text(header, "text", "interactive.header.text", _LONGEST_FOOTER) + "\n" + words
        else:
            notes = [f"{kind} {_place(kind, _object(header, kind, f'interactive.header.{kind}'))}"]
    buttons = _object(said, "action", "interactive.action").get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= _MOST_BUTTONS:
        raise invalid("interactive.action.buttons")
    replies = [_reply(button) for button in buttons]
    for each in zip(*replies, strict=True):
        if len(set(each)) < len(replies):
            raise invalid("interactive.action.buttons: each has an id and a title of its own")
    return noted(words, *notes, *(title for _, title in replies))


def _reply(button: object) -> Sequence[str]:
    """The id and the title."""
    if not isinstance(button, dict) or button.get("type") != "reply":
        raise invalid("interactive.action.buttons.type")
    reply = _object(button, "reply", "interactive.action.buttons.reply")
    return (
        _text(reply, "id", "interactive.action.buttons.reply.id", _LONGEST_ID),
        _text(reply, "title", "interactive.action.buttons.reply.title", _LONGEST_TITLE),
    )


def _template(said: Mapping[str, Any]) -> str:
    """Any is known here that has the form of one."""
    if not _TEMPLATE_NAME.fullmatch(_text(said, "name", "template.name", 512)):
        raise invalid("template.name")
    language = _object(said, "language", "template.language")
    if not _LANGUAGE.fullmatch(_text(language, "code", "template.language.code", 10)):
        raise invalid("template.language.code")
    components = said.get("components", [])
    if not isinstance(components, list):
        raise invalid("template.components")
    for component in components:
        match component:
            case {"type": str(kind)} if kind.lower() in _COMPONENTS:
                _check_parameters(component.get("parameters", []))
            case _:
                raise invalid("template.components.type")
    return json_text(said)


def _check_parameters(parameters: object) -> None:
    if not isinstance(parameters, list):
        raise invalid("template.components.parameters")
    for parameter in parameters:
        if not isinstance(parameter, dict) or not isinstance(parameter.get("type"), str):
            raise invalid("template.components.parameters.type")


def _object(holder: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    found = holder.get(name)
    if found is None:
        raise missing(path)
    if not isinstance(found, dict):
        raise invalid(path)
    return found


def _text(holder: Mapping[str, Any], name: str, path: str, longest: int) -> str:
    found = holder.get(name)
    if not found:
        raise missing(path)
    if not isinstance(found, str) or len(found) > longest:
        raise invalid(path)
    return found


def missing(name: str) -> Rejected:
    return Rejected(
        GraphError(
            400, 131008, "(#131008) Required parameter is missing", details=f"The parameter {name} is required."
        )
    )


def invalid(name: str) -> Rejected:
    return Rejected(
        GraphError(400, 100, "(#100) Invalid parameter", details=f"The parameter {name} is not valid.")
    )
