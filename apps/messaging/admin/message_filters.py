"""Filters of the list of messages. Error, code and template have indexes of their own; the rest is sifted."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.accounts.acting import acting_principal, organizations_of
from apps.accounts.admin.long_tables.filters import SelectFilter, TextFilter, asked_times
from apps.accounts.admin.long_tables.newest import newest
from apps.messaging.admin.words import KINDS_OF_ERROR
from apps.messaging.models import Message, Template
from apps.messaging.search import SHORT_TABLES
from apps.messaging.statuses import Status

_MOST_TEMPLATES = 500


class _IsAmong(Func):
    """These few are looked up one by one. By `IN`, PostgreSQL may walk through all messages to meet them."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class StatusFilter(SelectFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        status = self.value()
        if status is None:
            return queryset
        if short := SHORT_TABLES.get(status):
            rows: QuerySet[Any] = short.across_organizations.filter(organization__in=organizations_of(request))
            rows = newest(request, rows.filter(**asked_times(request)))
            queryset = queryset.filter(_IsAmong(F("pk"), ArraySubquery(rows.values("pk"))))
        else:
            queryset = newest(request, queryset)
        return queryset.filter(status=status)


class ErrorFilter(SelectFilter):
    title = gettext_lazy("kind of error")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, f"{words} ({name})") for name, words in KINDS_OF_ERROR.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset if self.value() is None else failed(request, queryset, error_class=self.value())


class CodeFilter(TextFilter):
    title = gettext_lazy("provider's code")
    parameter_name = "code"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset if self.value() is None else failed(request, queryset, error_code=self.value())


class TemplateFilter(SelectFilter):
    title = gettext_lazy("template")
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        templates = Template.across_organizations.filter(organization__in=organizations_of(request))
        found = templates.select_related("organization").order_by("name")[:_MOST_TEMPLATES]
        is_whole = acting_principal(request) is None
        return [(str(each.pk), f"{each.name} · {each.organization}" if is_whole else each.name) for each in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset if self.value() is None else queryset.filter(template_id=self.value())


def failed(request: HttpRequest, queryset: QuerySet[Message], **wanted: str | None) -> QuerySet[Message]:
    """Within an organization an index finds them; over all of them they are sifted."""
    organizations = organizations_of(request)
    if len(organizations) > 1:
        queryset = newest(request, queryset)
    else:
        queryset = queryset.filter(organization__in=organizations)
    return queryset.filter(**wanted).exclude(error_class="")
