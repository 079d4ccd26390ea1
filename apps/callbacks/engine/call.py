"""One signed POST, and what came of it. Anything but 2xx is a failure, a redirect too."""

import time
from dataclasses import dataclass
from typing import Any

import structlog

from apps.callbacks.engine.claim import Claimed
from apps.callbacks.engine.retry import seconds_until_next
from apps.callbacks.models import DeliveryState
from apps.callbacks.models.delivery import LONGEST_RESPONSE
from apps.channels.http_connector import retry_after
from apps.core import clock, standard_webhooks
from apps.core.encryption import UnreadableSecret, keyring
from apps.core.guarded_http import Answer, CallFailed, GuardedClient, TargetRefused

GONE = 410

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    claimed: Claimed
    milliseconds: int
    answer: Answer | None = None
    error: str = ""

    @property
    def is_success(self) -> bool:
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def is_gone(self) -> bool:
        return self.answer is not None and self.answer.status == GONE

    def as_row(self) -> dict[str, Any]:
        """For the statement that records many."""
        asked = retry_after(self.answer) if self.answer else None
        seconds = None
        if not self.is_success and not self.is_gone:
            seconds = seconds_until_next(self.claimed.attempts, asked)
        return {
            "id": self.claimed.id,
            "lease": self.claimed.lease,
            "state": self._state(seconds),
            "seconds": seconds,
            "status": self.answer.status if self.answer else None,
            "response": _readable(self.answer.body) if self.answer else "",
            "error": self.error[:300],
            "milliseconds": self.milliseconds,
        }

    def _state(self, seconds: float | None) -> DeliveryState:
        if self.is_success:
            return DeliveryState.DELIVERED
        return DeliveryState.FAILED if seconds is None else DeliveryState.WAITING


async def call(client: GuardedClient, claimed: Claimed) -> Outcome:
    started = time.monotonic()
    answer, error = None, ""
    try:
        body = claimed.payload.encode()
        answer = await client.request("POST", claimed.url, headers=_headers(claimed, body), body=body)
    except (CallFailed, TargetRefused) as failed:
        error = str(failed)
    except UnreadableSecret:
        error = "The endpoint's secret cannot be read."
        logger.error("webhook_secret_unreadable", endpoint_id=str(claimed.endpoint_id))  # noqa: TRY400 - says no more
    except Exception as bug:
        error = type(bug).__name__
        logger.exception("webhook_failed", delivery_id=str(claimed.id))
    return Outcome(claimed, round((time.monotonic() - started) * 1000), answer, error)


def _headers(claimed: Claimed, body: bytes) -> dict[str, str]:
    secrets = [keyring().decrypt(each) for each in (claimed.secret, claimed.previous_secret) if each is not None]
    timestamp = int(clock.now().timestamp())
    signed = standard_webhooks.headers(secrets, claimed.event_id, timestamp, body)
    return {"Content-Type": "application/json", **signed}


def _readable(body: bytes) -> str:
    text = body[: 4 * LONGEST_RESPONSE].decode(errors="replace")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_RESPONSE]
