"""The access log as a person's page says it: what Recado itself writes into it is in English, whoever reads it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.registration.kinds import Kind
from apps.registration.vault.people import AccessRecord

# As a column says them, by their name in the log.
_ACTIONS = {
    "read": pgettext_lazy("access to personal data", "read"),
    "written": pgettext_lazy("access to personal data", "written"),
    "found": pgettext_lazy("access to personal data", "found"),
    "exported": pgettext_lazy("access to personal data", "exported"),
    "erased": pgettext_lazy("access to personal data", "erased"),
}
# Of Recado's own, as the log has them; what people typed is shown as they typed it.
REASONS = {
    "the person confirmed a registration": gettext_lazy("the person confirmed a registration"),
    "the person registers, or corrects their data": gettext_lazy("the person registers, or corrects their data"),
    "sent to the organization's own API": gettext_lazy("sent to the organization's own API"),
    "the contact was erased": gettext_lazy("the contact was erased"),
    "Two contacts were found to be the same person": gettext_lazy("Two contacts were found to be the same person"),
    "The time for which this data is kept is over": gettext_lazy("The time for which this data is kept is over"),
}


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    who: str
    what: str
    why: str
    fields: str


def in_words(accesses: Iterable[AccessRecord]) -> list[Line]:
    return [
        Line(
            each.at,
            each.actor_label,
            str(_ACTIONS[each.action]),
            str(REASONS.get(each.reason, each.reason)),
            ", ".join(_called(name) for name in each.fields),
        )
        for each in accesses
    ]


def _called(name: str) -> str:
    """The log has the names of questions, most of which are their kind's."""
    return str(Kind(name).label) if name in Kind.values else name
