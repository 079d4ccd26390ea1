"""How errors and messages are told to operators."""

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.messaging.models import Message

KINDS_OF_ERROR = {
    "transient": gettext_lazy("the provider failed"),
    "rate_limited": gettext_lazy("the provider had too much"),
    "recipient_rejected": gettext_lazy("the recipient cannot be reached"),
    "message_rejected": gettext_lazy("the provider refused the message"),
    "account_rejected": gettext_lazy("the provider refused our account"),
    "outcome_unknown": gettext_lazy("nobody knows whether it was sent"),
    # Our own, before anybody was asked.
    "not_wanted": gettext_lazy("the person does not want it"),
    "quiet_hours": gettext_lazy("the person wants no messages at this hour"),
    "stopped": gettext_lazy("what it was about has ended"),
    "deferred": gettext_lazy("put off by what it is about"),
}


def kind_of_error(name: str) -> str:
    """For people who do not know how we call it."""
    return str(KINDS_OF_ERROR.get(name, name))


def error_in_words(error_class: str, code: str, detail: str) -> str:
    """Such as: the provider refused the message (131047): more than a day since they wrote."""
    if not error_class:
        return ""
    words = f"{kind_of_error(error_class)} ({code})" if code else kind_of_error(error_class)
    return f"{words}: {detail}" if detail else words


def table_of(messages: Iterable[Message]) -> SafeString:
    rows = (
        (message.created_at.strftime("%Y-%m-%d %H:%M"), message.get_status_display(), message.text[:200])
        for message in messages
    )
    return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {} · {}</li>", rows))
