"""What clients say over a WebSocket, read strictly."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

_LONGEST_SINCE = 100


class BadFrame(Exception):
    """The frame says nothing that is understood."""

    def __init__(self, code: str, detail: str, **about: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.about = about


@dataclass(frozen=True, slots=True)
class Authenticate:
    token: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    # None is everything in the organization.
    conversation_id: UUID | None
    since: str | None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    conversation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Ping:
    pass


type Frame = Authenticate | Subscribe | Unsubscribe | Ping


def read_frame(text: str | None) -> Frame:
    try:
        said = orjson.loads(text or "")
    except orjson.JSONDecodeError as error:
        raise BadFrame("bad_frame", "Send JSON objects as text.") from error
    if not isinstance(said, dict):
        raise BadFrame("bad_frame", "Send JSON objects as text.")
    match said.get("action"):
        case "authenticate":
            if not isinstance(said.get("token"), str):
                raise BadFrame("bad_frame", "Give the token as text.")
            return Authenticate(said["token"])
        case "subscribe":
            return Subscribe(_topic(said), _since(said))
        case "unsubscribe":
            return Unsubscribe(_topic(said))
        case "ping":
            return Ping()
        case _:
            raise BadFrame("unknown_action", "Actions are authenticate, subscribe, unsubscribe and ping.")


def _topic(said: dict[str, Any]) -> UUID | None:
    if said.get("scope") == "organization" and "conversation_id" not in said:
        return None
    named = said.get("conversation_id")
    if not isinstance(named, str) or "scope" in said:
        raise BadFrame("bad_frame", 'Give either a conversation_id, or "scope": "organization".')
    try:
        return UUID(named)
    except ValueError:
        # What is no id is no conversation either, and is told so in the same words.
        raise BadFrame("not_found", "There is no such conversation.", conversation_id=named[:100]) from None


def _since(said: dict[str, Any]) -> str | None:
    since = said.get("since")
    if since is None or (isinstance(since, str) and len(since) <= _LONGEST_SINCE):
        return since
    raise BadFrame("bad_offset", "Give an offset as it came, or none.")
