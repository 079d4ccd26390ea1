"""Filters by channel account, and by channel."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.accounts.acting import acting_principal, organizations_of
from apps.accounts.admin.long_tables.filters import MOST_CHOICES, SelectFilter
from apps.accounts.admin.long_tables.newest import newest
from apps.channels.models import ChannelAccount
from apps.channels.registry import choices as channels


class AccountFilter(SelectFilter):
    title = gettext_lazy("channel account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        accounts = ChannelAccount.across_organizations.filter(organization__in=organizations_of(request))
        is_whole = acting_principal(request) is None
        found = accounts.select_related("organization").order_by("name")[:MOST_CHOICES]
        return [(str(each.pk), f"{each.name} · {each.organization}" if is_whole else each.name) for each in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return newest(request, queryset).filter(account=self.value())


class ChannelFilter(SelectFilter):
    title = gettext_lazy("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(channels())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        accounts = ChannelAccount.across_organizations.filter(
            organization__in=organizations_of(request), connector=self.value()
        )
        return newest(request, queryset).filter(account__in=list(accounts.values_list("pk", flat=True)))
