"""Filters of the list of dead letters. An index has what is open; the rest is sifted."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.admin.long_tables.filters import SelectFilter, TextFilter
from apps.accounts.admin.long_tables.newest import newest
from apps.messaging.admin.words import KINDS_OF_ERROR
from apps.messaging.models import DeadLetter, DeadLetterState

FAILED_AGAIN, UNTOUCHED = "failed_again", "untouched"


class DeadLetterStateFilter(SelectFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        open_ones = [(UNTOUCHED, _("open, not tried again")), (FAILED_AGAIN, _("open, failed again"))]
        return [*DeadLetterState.choices[:1], *open_ones, *DeadLetterState.choices[1:]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        wanted = self.value()
        if wanted is None:
            return queryset
        if wanted not in {DeadLetterState.OPEN, FAILED_AGAIN, UNTOUCHED}:
            return newest(request, queryset).filter(state=wanted)
        queryset = queryset.filter(state=DeadLetterState.OPEN)
        if wanted == DeadLetterState.OPEN:
            return queryset
        return newest(request, queryset).filter(**{"replays__gt" if wanted == FAILED_AGAIN else "replays": 0})


class CauseFilter(SelectFilter):
    title = gettext_lazy("kind of error")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, f"{words} ({name})") for name, words in KINDS_OF_ERROR.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        if self.value() is None:
            return queryset
        return newest(request, queryset).filter(error_class=self.value())


class DeadLetterCodeFilter(TextFilter):
    title = gettext_lazy("provider's code")
    parameter_name = "code"

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        if self.value() is None:
            return queryset
        return newest(request, queryset).filter(error_code=self.value())
