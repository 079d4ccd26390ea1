"""The story of a message: what happened, when, how long each step took, and what the provider said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.acting import acting_user
from apps.channels.connector import Outbound
from apps.channels.content import from_document
from apps.channels.shown import request_of
from apps.messaging.admin.words import kind_of_error
from apps.messaging.models import Message, MessageEvent
from apps.messaging.statuses import Direction, EventKind

MOST_EVENTS = 200

_TITLES = {
    EventKind.QUEUED: gettext_lazy("Accepted"),
    EventKind.SENDING: gettext_lazy("Taken by a worker"),
    EventKind.RETRYING: gettext_lazy("Did not get through"),
    EventKind.HELD: gettext_lazy("Waits for a limit"),
    EventKind.UNKNOWN: gettext_lazy("Nobody knows yet whether it was sent"),
    EventKind.SENT: gettext_lazy("The provider took it"),
    EventKind.DELIVERED: gettext_lazy("Delivered"),
    EventKind.READ: gettext_lazy("Read"),
    EventKind.FAILED: gettext_lazy("Failed for good"),
    EventKind.CANCELLED: gettext_lazy("Taken back"),
    EventKind.EXPIRED: gettext_lazy("Expired: it waited too long"),
    EventKind.REPLAYED: gettext_lazy("Somebody had it tried again"),
    EventKind.RECEIVED: gettext_lazy("The person wrote"),
    EventKind.FORWARDED: gettext_lazy("A route took it on"),
    EventKind.FELL_BACK: gettext_lazy("Another way is tried"),
    EventKind.MEDIA: gettext_lazy("The file that came with it"),
}
_MOODS = {
    EventKind.RETRYING: "warning",
    EventKind.HELD: "warning",
    EventKind.UNKNOWN: "warning",
    EventKind.EXPIRED: "bad",
    EventKind.FAILED: "bad",
    EventKind.SENT: "good",
    EventKind.DELIVERED: "good",
    EventKind.READ: "good",
}


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    # How good or bad it is, for its colour; the words say it too.
    mood: str
    # The day, and the time to the millisecond, for that is what tells attempts apart.
    day: str
    time: str
    # Since the step before.
    after: str
    words: str
    answer_status: int | None
    answer: str
    # Where Flower shows the worker's task; for those who run the installation.
    drain_url: str


@dataclass(frozen=True, slots=True)
class Story:
    steps: Sequence[Step]
    # Whether the beginning of a very long one is left out.
    is_cut: bool
    request: str
    trace_url: str


def story_of(request: HttpRequest, message: Message, events: QuerySet[MessageEvent]) -> Story:
    """Oldest first; of very many, the last."""
    newest = list(events.order_by("-id")[: MOST_EVENTS + 1])
    told = newest[:MOST_EVENTS][::-1]
    runs_installation = acting_user(request).is_superuser
    gaps = [None, *(event.at - earlier.at for earlier, event in pairwise(told))]
    steps = [_step(event, gap, runs_installation) for event, gap in zip(told, gaps, strict=False)]
    return Story(
        steps,
        len(newest) > MOST_EVENTS,
        _request(message),
        _trace_url(message) if runs_installation else "",
    )


def _step(event: MessageEvent, after: timedelta | None, runs_installation: bool) -> Step:
    detail = event.detail
    answer = detail.get("answer") or {}
    return Step(
        title=str(_TITLES[EventKind(event.kind)]),
        mood=_MOODS.get(EventKind(event.kind), ""),
        day=date_format(event.at, "DATE_FORMAT"),
        time=f"{event.at:%H:%M:%S.%f}"[:-3],
        # What a provider reports it dates itself, by its own clock and often in whole seconds.
        after="" if after is None or after < timedelta() else duration(after.total_seconds()),
        words=in_words(event),
        answer_status=answer.get("status"),
        answer=answer.get("body", ""),
        drain_url=_drain_url(detail.get("drain", "")) if runs_installation else "",
    )


def in_words(event: MessageEvent) -> str:
    """Such as: attempt 1: 503 in 212 ms, the provider failed; goes on in 2 s."""
    detail = event.detail
    words = [_attempt(event)] if event.attempt and event.kind != EventKind.QUEUED else []
    if "error" in detail:
        words.append(kind_of_error(detail["error"]))
        code, said = detail.get("code", ""), detail.get("detail", "")
        words.append(f"{code}: {said}" if code and said else code or said)
    if "channel" in detail:
        words.append(_("goes on over %(channel)s") % {"channel": detail["channel"]})
    if event.kind == EventKind.FORWARDED:
        words.append(str(detail.get("refused") or detail.get("status", "")))
    if "seconds" in detail:
        words.append(_("goes on in %(time)s") % {"time": duration(float(detail["seconds"]))})
    return "; ".join(word.rstrip(".") for word in words if word)


def _attempt(event: MessageEvent) -> str:
    said = {"number": event.attempt, "status": (event.detail.get("answer") or {}).get("status")}
    if "ms" not in event.detail:
        return _("attempt %(number)d") % said
    said["time"] = duration(event.detail["ms"] / 1000)
    if said["status"]:
        return _("attempt %(number)d: %(status)s in %(time)s") % said
    return _("attempt %(number)d, in %(time)s") % said


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"{number_format(round(seconds * 1000), use_l10n=True)} ms"
    if seconds < 60:
        return f"{number_format(round(seconds, 1), use_l10n=True)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    days = minutes // (24 * 60)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _request(message: Message) -> str:
    """As it is built of what the message says; links to files are signed anew for each attempt."""
    if message.direction == Direction.INBOUND:
        return ""
    answers = ""
    if message.reply_to_id is not None:
        earlier = Message.across_organizations.filter(
            organization=message.organization_id, pk=message.reply_to_id
        ).first()
        answers = (earlier and earlier.provider_id) or ""
    outbound = Outbound(
        message.pk,
        message.conversation.address,
        from_document(message.text, message.content),
        {},
        answers,
        message.account.callback_url,
    )
    return request_of(message.account, outbound)


def _drain_url(task: str) -> str:
    return f"{reverse('flower')}task/{task}" if task and settings.FLOWER_URL else ""


def _trace_url(message: Message) -> str:
    if not settings.JAEGER_URL:
        return ""
    wanted = {"service": "recado", "tags": f'{{"recado.message_id":"{message.pk}"}}', "lookback": "7d"}
    return f"{settings.JAEGER_URL.rstrip('/')}/search?{urlencode(wanted)}"
