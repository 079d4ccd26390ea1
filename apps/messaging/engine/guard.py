"""Just before a message leaves: whether it may still, what it says by now, and if not now, when.

Between accepting and sending lie seconds, or months. What the person chose meanwhile counts, and the clock does.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from apps.channels.connector import OutboundFile
from apps.channels.content import PLAIN, Content, from_document
from apps.channels.errors import MessageRejected, RateLimited, RecipientRejected, SendFailed
from apps.channels.models import ChannelAccount
from apps.messaging import reply_window
from apps.messaging.consent.refusal import REASONS
from apps.messaging.engine.claim import Claimed
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.statuses import Category

# Where nobody knows better.
HOME = ZoneInfo("America/Sao_Paulo")
# What is sent at any hour.
_AT_ANY_HOUR = frozenset({Category.TRANSACTIONAL, Category.SERVICE})


class NotWanted(RecipientRejected):
    """The person asked not to be written to, after the message was accepted."""

    name = "not_wanted"


class OutsideWindow(MessageRejected):
    """The time to reply is over, and no template was named for that."""


class QuietHours(RateLimited):
    """The person wants no messages at this hour."""

    name = "quiet_hours"


@dataclass(frozen=True, slots=True)
class Cleared:
    """It may leave, saying this."""

    delivery: Claimed
    content: Content
    # To be handed over within it (bring.py).
    file: OutboundFile | None = None


def clear(account: ChannelAccount, delivery: Claimed, lease: UUID, now: datetime) -> Cleared | Outcome:
    """What is to be sent, or what becomes of it instead."""
    if delivery.refusal is not None:
        reason = NotWanted(delivery.refusal, str(REASONS[delivery.refusal]))
        return _outcome(delivery, lease, Result.CANCELLED, error=reason)
    wait = _quiet_seconds(delivery, now)
    if wait:
        return _outcome(delivery, lease, Result.POSTPONED, seconds=wait, error=QuietHours())
    content, outside = _contents(delivery)
    if reply_window.is_over(account, content, delivery.last_inbound_at, now):
        if outside is None:
            error = OutsideWindow("outside_window", "The time to reply was over when the message was to leave.")
            return _outcome(delivery, lease, Result.FAILED, error=error)
        content = outside
    return Cleared(delivery, content)


def _outcome(
    delivery: Claimed, lease: UUID, result: Result, *, seconds: float = 0.0, error: SendFailed | None = None
) -> Outcome:
    return Outcome(delivery.message_id, delivery.conversation_id, lease, result, seconds=seconds, error=error)


def _contents(delivery: Claimed) -> tuple[Content, Content | None]:
    """What it says, and what it says instead once the time to reply is over."""
    if delivery.content == PLAIN:
        return Content(delivery.text), None
    document = orjson.loads(delivery.content)
    outside = document.get("outside_window")
    return from_document(delivery.text, document), outside and from_document(outside["text"], outside)


def _quiet_seconds(delivery: Claimed, now: datetime) -> float:
    """Until the person's quiet hours end; 0.0 outside them."""
    begins, ends = delivery.quiet_from, delivery.quiet_until
    if begins is None or ends is None or delivery.category in _AT_ANY_HOUR:
        return 0.0
    local = now.astimezone(_zone(delivery.time_zone))
    if not _is_between(local.time(), begins, ends):
        return 0.0
    day = local.date() if local.time() < ends else local.date() + timedelta(days=1)
    # Of an hour that comes twice, when clocks are put back, the one in which we are.
    end = datetime.combine(day, ends, local.tzinfo).replace(fold=local.fold)
    # By way of UTC: two moments of one zone are subtracted as if no clock were ever changed.
    return max((end.astimezone(UTC) - now).total_seconds(), 1.0)


def _is_between(moment: time_of_day, begins: time_of_day, ends: time_of_day) -> bool:
    """Over midnight too."""
    return begins <= moment < ends if begins <= ends else moment >= begins or moment < ends


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else HOME
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as America
        return HOME
