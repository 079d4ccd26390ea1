"""Instagram's messaging API, as far as sending goes. It tells what was read but not what was delivered, and echoes
the message but none of our ids.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from apps.channels.simulators.callbacks import News
from apps.channels.simulators.faults import Kind
from apps.channels.simulators.graph import BAD_TOKEN, GraphApi, GraphError, Rejected, json_text
from apps.channels.simulators.provider import Delayed, Message, Said

_LONGEST_TEXT_BYTES = 1000
_SOME_ACCOUNT = "17841400000000000"
_DIGITS_AT_THE_END = re.compile(r"[0-9]+$")

_TOO_MANY_CALLS = GraphError(429, 613, "(#613) Calls to this api have exceeded the rate limit.")
_NOT_AVAILABLE = GraphError(400, 551, "(#551) This person isn't available right now.", subcode=1545041)


class Instagram(GraphApi[Message]):
    name = "instagram"
    # It has no limit for a pair and no opting out: it says then what comes closest.
    errors = {
        Kind.RATE_LIMITED: _TOO_MANY_CALLS,
        Kind.PAIR_RATE_LIMITED: _TOO_MANY_CALLS,
        Kind.SERVER_ERROR: GraphError(
            500, 2, "An unexpected error has occurred. Please retry your request later.", is_transient=True
        ),
        Kind.BLOCKED: _NOT_AVAILABLE,
        Kind.OPTED_OUT: _NOT_AVAILABLE,
        Kind.INVALID_TOKEN: BAD_TOKEN,
    }

    def account(self, named: str, token: str) -> str:
        """`me` is whom the token was issued to: here, the digits that it ends with."""
        if named != "me":
            return named
        digits = _DIGITS_AT_THE_END.search(token)
        return digits[0] if digits else _SOME_ACCOUNT

    def read_message(self, body: Mapping[str, Any]) -> Message:
        recipient, content = body.get("recipient"), body.get("message")
        if not isinstance(recipient, dict) or not isinstance(to := recipient.get("id"), str) or not to:
            raise _invalid("recipient")
        if not isinstance(content, dict):
            raise _invalid("message")
        text = content.get("text")
        if text is None and isinstance(content.get("attachment"), dict):
            text = json_text(content)
        elif not isinstance(text, str) or not text:
            raise _invalid("message[text]")
        elif len(text.encode()) > _LONGEST_TEXT_BYTES:
            raise Rejected(GraphError(400, 100, "(#100) Length of param message[text] must be at most 1000 bytes"))
        return Message(to, text, text)

    def new_message_id(self, run: str, number: int) -> str:
        return f"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE{run}{number:014d}"

    def receipt(self, message: Message, message_id: str) -> object:
        return {"recipient_id": message.to, "message_id": message_id}

    def statuses(self, account: str, message: Message, message_id: str, starts_at: float) -> Sequence[Delayed]:
        us, them = {"id": account}, {"id": message.to}
        sent_after, read_after = self.delays.sent_after, self.delays.read_after
        echo = {
            "sender": us,
            "recipient": them,
            "timestamp": int((starts_at + sent_after) * 1000),
            "message": {"mid": message_id, "text": message.text, "is_echo": True},
        }
        read = {
            "sender": them,
            "recipient": us,
            "timestamp": int((starts_at + read_after) * 1000),
            "read": {"mid": message_id},
        }
        return [(sent_after, orjson.dumps(echo)), (read_after, orjson.dumps(read))]

    def failure(self, account: str, message: Message, message_id: str, starts_at: float) -> Sequence[Delayed]:
        return []

    def inbound(self, said: Said, message_id: str) -> News:
        return News(said.account, b"{}")

    def facts(self, account: str) -> object:
        name = f"simulated.{account}"
        return {"id": account, "user_id": account, "username": name, "name": name, "account_type": "BUSINESS"}


def envelope(statuses: Mapping[str, Sequence[bytes]]) -> bytes:
    return orjson.dumps(
        {
            "object": "instagram",
            "entry": [
                {"id": account, "messaging": [orjson.Fragment(status) for status in of_account]}
                for account, of_account in statuses.items()
            ],
        }
    )


def _invalid(name: str) -> Rejected:
    return Rejected(GraphError(400, 100, f"(#100) Invalid parameter: {name}"))
