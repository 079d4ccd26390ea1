"""WhatsApp's Cloud API, as far as sending goes. Our own id comes back in every status."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from apps.channels.simulators.callbacks import News
from apps.channels.simulators.faults import Kind
from apps.channels.simulators.graph import BAD_TOKEN, GraphApi, GraphError, Rejected, json_text
from apps.channels.simulators.provider import Delayed, Message, Said

_LONGEST_TEXT = 4096
_LONGEST_OPAQUE = 512


@dataclass(frozen=True, slots=True)
class WhatsAppMessage(Message):
    wa_id: str


class WhatsApp(GraphApi[WhatsAppMessage]):
    name = "whatsapp"
    errors = {
        Kind.RATE_LIMITED: GraphError(
            429, 130429, "(#130429) Rate limit hit", details="Cloud API message throughput has been reached."
        ),
        Kind.PAIR_RATE_LIMITED: GraphError(
            429,
            131056,
            "(#131056) (Business Account, Consumer Account) pair rate limit hit",
            details="Too many messages sent from this phone number to the same phone number.",
        ),
        Kind.SERVER_ERROR: GraphError(
            500, 131000, "(#131000) Something went wrong", details="An unknown error happened."
        ),
        Kind.BLOCKED: GraphError(
            400, 131026, "(#131026) Message undeliverable", details="The message could not be delivered."
        ),
        Kind.OPTED_OUT: GraphError(
            400,
            131050,
            "(#131050) User has stopped marketing messages",
            details="The recipient chose to stop receiving messages from this business.",
        ),
        Kind.INVALID_TOKEN: BAD_TOKEN,
    }

    def read_message(self, body: Mapping[str, Any]) -> WhatsAppMessage:
        if body.get("messaging_product") != "whatsapp":
            raise _invalid("messaging_product")
        to = body.get("to")
        if not to:
            raise _missing("to")
        if not isinstance(to, str) or not _is_number(digits := to.removeprefix("+")):
            raise _invalid("to")
        opaque = body.get("biz_opaque_callback_data", "")
        if not isinstance(opaque, str) or len(opaque) > _LONGEST_OPAQUE:
            raise _invalid("biz_opaque_callback_data")
        return WhatsAppMessage(to, opaque, _read_content(body), digits)

    def new_message_id(self, run: str, number: int) -> str:
        return "wamid." + base64.b64encode(f"{run}{number:014d}".encode()).decode()

    def receipt(self, message: WhatsAppMessage, message_id: str) -> object:
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": message.to, "wa_id": message.wa_id}],
            "messages": [{"id": message_id}],
        }

    def statuses(
        self, account: str, message: WhatsAppMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        same: dict[str, str] = {"id": message_id, "recipient_id": message.wa_id}
        if message.key:
            same["biz_opaque_callback_data"] = message.key
        # Written once, and the rest put before it: this is the most frequent thing that the program does.
        rest = orjson.dumps(same)[1:]
        delays = self.delays
        return [
            (delay, b'{"status":"%b","timestamp":"%d",%b' % (status, starts_at + delay, rest))
            for delay, status in (
                (delays.sent_after, b"sent"),
                (delays.delivered_after, b"delivered"),
                (delays.read_after, b"read"),
            )
        ]

    def failure(
        self, account: str, message: WhatsAppMessage, message_id: str, starts_at: float
    ) -> Sequence[Delayed]:
        return []

    def inbound(self, said: Said, message_id: str) -> News:
        return News(said.account, b"{}")

    def facts(self, account: str) -> object:
        return {
            "id": account,
            "verified_name": f"Simulated number {account}",
            "display_phone_number": _display_number(account),
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
        }


def envelope(statuses: Mapping[str, Sequence[bytes]]) -> bytes:
    return orjson.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": f"9{account}",  # of the business account that holds the number
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {
                                    "display_phone_number": _display_number(account),
                                    "phone_number_id": account,
                                },
                                "statuses": [orjson.Fragment(status) for status in of_account],
                            },
                        }
                    ],
                }
                for account, of_account in statuses.items()
            ],
        }
    )


def _read_content(body: Mapping[str, Any]) -> str:
    """A text's own words; what is no text is kept as its JSON."""
    kind = body.get("type", "text")
    if not isinstance(kind, str):
        raise _invalid("type")
    content = body.get(kind)
    if content is None:
        raise _missing(kind)
    if not isinstance(content, dict):
        raise _invalid(kind)
    if kind != "text":
        return json_text(content)
    text = content.get("body")
    if not text:
        raise _missing("text.body")
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
        raise _invalid("text.body")
    return text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and 5 <= len(text) <= 20


def _display_number(account: str) -> str:
    return f"+{account}"


def _missing(name: str) -> Rejected:
    return Rejected(
        GraphError(
            400, 131008, "(#131008) Required parameter is missing", details=f"The parameter {name} is required."
        )
    )


def _invalid(name: str) -> Rejected:
    return Rejected(
        GraphError(400, 100, "(#100) Invalid parameter", details=f"The parameter {name} is not valid.")
    )
