"""Whether a message may be accepted: every rule that needs no more than what is at hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.channels.carrying import why_not
from apps.channels.content import Content
from apps.channels.registry import connector_class
from apps.core.ids import new_id
from apps.files.models import File
from apps.messaging import reply_window
from apps.messaging.consent.refusal import REASONS
from apps.messaging.conversations import Place, Unplaced
from apps.messaging.engine import attach
from apps.messaging.engine.new_message import Accepted, Answer, NewMessage, Refused
from apps.messaging.wording.compose import Composed, Uncomposed

# Nobody wants to be reminded of last week's meeting; and nothing waits for ever.
LONGEST_LIFE = timedelta(days=7)
LONGEST_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Known:
    """What was looked up for a message, for all of a batch at once."""

    place: Place | Unplaced
    # What its template says, and what the one for after the time to reply says.
    composed: Composed | Uncomposed | None = None
    outside_window: Composed | Uncomposed | None = None
    # The ways to try after this one, as they are kept; or which of them is none.
    steps: tuple[Mapping[str, object], ...] | Refused = ()
    # The conversation of the message that it answers.
    answered: UUID | None = None
    # Of all of the batch.
    files: Mapping[UUID, File] = field(default_factory=dict)


def judge(message: NewMessage, known: Known, now: datetime) -> Answer:
    place = known.place
    if isinstance(place, Unplaced):
        return Refused(place.field, place.code, place.detail, place.retry_after)
    for composed in (known.composed, known.outside_window):
        if isinstance(composed, Uncomposed):
            return Refused(composed.field, composed.code, composed.detail)
    begins = message.scheduled_at or now
    expires_at = message.expires_at or begins + LONGEST_LIFE
    composed = known.composed if isinstance(known.composed, Composed) else None
    capabilities = connector_class(place.connector).capabilities
    content = composed.content if composed else attach.say(message, known.files, capabilities)
    if isinstance(content, Refused):
        return content
    outside = known.outside_window.content if isinstance(known.outside_window, Composed) else None
    wrong = (
        _of_account(place, now)
        or _of_place(message, place)
        or _of_times(message, begins, expires_at, now)
        or _of_content(message, place, content, known.answered)
        or _of_window(place, content, outside, begins)
        or _of_fallback(message, place)
    )
    if wrong is not None:
        return wrong
    if isinstance(known.steps, Refused):
        return known.steps
    return Accepted(
        new_id(),
        place,
        message,
        content,
        expires_at,
        now,
        message.category,
        composed.template_id if composed else None,
        outside,
        tuple(dict(step) for step in known.steps),
    )


def _of_account(place: Place, now: datetime) -> Refused | None:
    if not place.is_draining(now):
        return None
    if place.draining_until is None:
        detail = _("This account takes no new messages: %(reason)s. Use another one, or resume it.")
    else:
        detail = _("This account takes no new messages until %(time)s: %(reason)s. Use another one, or resume it.")
    until = date_format(place.draining_until, "DATETIME_FORMAT") if place.draining_until else ""
    return Refused("account_id", "account_draining", detail % {"reason": place.drain_reason, "time": until})


def _of_place(message: NewMessage, place: Place) -> Refused | None:
    if place.is_closed and message.conversation_id is not None:
        detail = _("This conversation is closed. Open it again first.")
        return Refused("conversation_id", "conversation_closed", detail)
    if place.refusal is not None:
        return Refused("to", place.refusal, str(REASONS[place.refusal]))
    return None


def _of_times(message: NewMessage, begins: datetime, expires_at: datetime, now: datetime) -> Refused | None:
    if message.scheduled_at is not None and not now < begins <= now + LONGEST_AHEAD:
        return Refused("scheduled_at", "not_in_future", _("This must be in the future, and within a year."))
    if not begins < expires_at <= begins + LONGEST_LIFE:
        detail = _("This must be after the message is due, and within seven days of that.")
        return Refused("expires_at", "bad_expiry", detail)
    return None


def _of_content(message: NewMessage, place: Place, content: Content, answered: UUID | None) -> Refused | None:
    capabilities = connector_class(place.connector).capabilities
    wrong = why_not(capabilities, content, is_reply=message.reply_to is not None)
    if wrong is not None:
        return Refused(wrong.field, wrong.code, wrong.detail)
    if message.reply_to is not None and answered != place.conversation_id:
        return Refused("reply_to", "unknown_message", _("There is no such message in this conversation."))
    return None


def _of_window(place: Place, content: Content, outside: Content | None, begins: datetime) -> Refused | None:
    """Said early: the provider would refuse it, and count it against the account."""
    window = reply_window.of(place)
    if window is None or outside is not None:
        return None
    if not reply_window.is_over(place, content, place.last_inbound_at, begins):
        return None
    detail = _(
        "On this channel people can be written to freely for %(hours)d hours after they wrote. Send a template, "
        "or name one in template_fallback."
    ) % {"hours": window.total_seconds() // 3600}
    return Refused("text", "outside_window", detail)


def _of_fallback(message: NewMessage, place: Place) -> Refused | None:
    if message.delivered_within is None:
        return None
    if not message.fallback:
        detail = _("Name in fallback what is tried when it is not delivered in time.")
        return Refused("delivered_within", "conflicting", detail)
    if not connector_class(place.connector).capabilities.reports_delivered:
        detail = _("This channel never says that something was delivered. Leave it out.")
        return Refused("delivered_within", "not_reported", detail)
    return None
