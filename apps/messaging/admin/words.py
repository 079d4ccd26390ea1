"""What happened to a message, in words."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.messaging.models import Message, MessageEvent
from apps.messaging.statuses import EventKind

MOST_EVENTS = 200


def story(events: QuerySet[MessageEvent]) -> SafeString:
    """Oldest first; of very many, the last."""
    newest = list(events.order_by("-id")[:MOST_EVENTS])
    lines = ((moment(event), in_words(event)) for event in reversed(newest))
    return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {}</li>", lines))


def moment(event: MessageEvent) -> str:
    """To the millisecond, for that is what tells attempts apart."""
    return f"{date_format(event.at, 'DATE_FORMAT')} {event.at:%H:%M:%S.%f}"[:-3]


def in_words(event: MessageEvent) -> str:
    detail = event.detail
    words = [str(event.get_kind_display())]
    if event.attempt:
        words.append(_("attempt %(number)d") % {"number": event.attempt})
    if "ms" in detail:
        words.append(_("after %(milliseconds)d ms") % {"milliseconds": detail["ms"]})
    if "error" in detail:
        words.append(error_in_words(detail["error"], detail.get("code", ""), detail.get("detail", "")))
    if "channel" in detail:
        words.append(_("goes on over %(channel)s") % {"channel": detail["channel"]})
    if event.kind == EventKind.FORWARDED:
        words.append(str(detail.get("refused") or detail.get("status", "")))
    if "seconds" in detail:
        words.append(_("goes on in %(seconds)s s") % {"seconds": detail["seconds"]})
    return ", ".join(words)


_KINDS_OF_ERROR = {
    "transient": gettext_lazy("the provider failed"),
    "rate_limited": gettext_lazy("the provider had too much"),
    "recipient_rejected": gettext_lazy("the recipient cannot be reached"),
    "message_rejected": gettext_lazy("the provider refused the message"),
    "account_rejected": gettext_lazy("the provider refused our account"),
    "outcome_unknown": gettext_lazy("nobody knows whether it was sent"),
}


def kind_of_error(name: str) -> str:
    """For people who do not know how we call it."""
    return str(_KINDS_OF_ERROR.get(name, name))


def error_in_words(error_class: str, code: str, detail: str) -> str:
    name = f"{error_class} {code}".strip()
    return f"{name}: {detail}" if detail else name


def table_of(messages: Iterable[Message]) -> SafeString:
    rows = (
        (message.created_at.strftime("%Y-%m-%d %H:%M"), message.get_status_display(), message.text[:200])
        for message in messages
    )
    return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {} · {}</li>", rows))
