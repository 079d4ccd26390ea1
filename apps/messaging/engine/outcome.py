"""What came of one attempt, as the drain hands it to record.py."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from apps.channels.errors import SendFailed


class Result(StrEnum):
    # These end the delivery.
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    # The person does not want it any more.
    CANCELLED = "cancelled"
    # A receipt said already that the provider has the message.
    SETTLED = "settled"
    # These leave it in the queue.
    RETRYING = "retrying"
    HELD = "held"
    # Held for so long that what comes behind it goes first.
    POSTPONED = "postponed"
    UNKNOWN = "unknown"
    # Never tried: the claim was more than could be sent.
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Outcome:
    message_id: UUID
    conversation_id: UUID
    lease: UUID
    result: Result
    # How long until the delivery is due again, where it stays.
    seconds: float = 0.0
    provider_id: str | None = None
    error: SendFailed | None = None
    milliseconds: int | None = None
    # The task that tried it.
    drain: str = ""

    def as_row(self) -> dict[str, Any]:
        """For the statement that records many."""
        error = self.error
        detail: dict[str, Any] = {}
        if self.milliseconds is not None:
            detail["ms"] = self.milliseconds
        if error is not None:
            detail |= {"error": error.name, "code": error.code, "detail": error.detail}
            if error.heard is not None:
                detail["answer"] = {"status": error.heard.status, "body": error.heard.body}
        if self.drain:
            detail["drain"] = self.drain
        if self.result in _STAYS:
            detail["seconds"] = round(self.seconds, 3)
        return {
            "message_id": self.message_id,
            "lease": self.lease,
            "result": self.result,
            "seconds": self.seconds,
            "provider_id": self.provider_id,
            "error_class": error.name if error else "",
            "error_code": error.code if error else "",
            "error_detail": error.detail if error else "",
            "detail": detail,
        }


_STAYS = frozenset({Result.RETRYING, Result.HELD, Result.POSTPONED, Result.UNKNOWN})
