"""What the pages over long tables have in common: nothing is counted, sorted or searched without an index."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import SimpleListFilter
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from apps.accounts.acting import acting_principal
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.models import Organization
from apps.accounts.roles import Scope
from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount

MOST_COUNTED = 10_000
# A filter that no index knows looks at so many of the newest rows.
MOST_LOOKED_AT = 50_000


class BoundedPaginator(Paginator[Any]):
    """Counts no further than anybody turns pages."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        return self.object_list[:MOST_COUNTED].count()


class LongTableAdmin[M: TenantModel](TenantAdmin[M]):
    """To be read, and changed by actions only."""

    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    ordering: ClassVar[Sequence[str]] = ["-id"]
    sortable_by: ClassVar[Sequence[str]] = ()
    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50
    # Shows the search box; what is searched is said by `find`.
    search_fields: ClassVar[Sequence[str]] = ["id"]

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        """The ids of what somebody looks for."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        found = [] if "\0" in text else self.find(organizations_of(request), text)
        return queryset.filter(pk__in=found), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def organizations_of(request: HttpRequest) -> list[UUID]:
    """Those whose things the person may see; a superuser all, whom get_queryset lets see everything."""
    principal = acting_principal(request)
    if principal is not None:
        return [principal.organization.id]
    return list(Organization.objects.values_list("pk", flat=True))


class SiftingFilter(SimpleListFilter):
    """A filter that no index knows: it looks at the newest rows only."""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self._rows = model_admin.get_queryset(request)
        super().__init__(request, params, model, model_admin)

    def newest[M: TenantModel](self, queryset: QuerySet[M]) -> QuerySet[M]:
        ids = self._rows.order_by("-pk").values_list("pk", flat=True)
        edge = ids[MOST_LOOKED_AT - 1 : MOST_LOOKED_AT].first()
        return queryset if edge is None else queryset.filter(pk__gte=edge)


class AccountFilter(SiftingFilter):
    title = _("channel account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        accounts = ChannelAccount.across_organizations.filter(organization__in=organizations_of(request))
        return [(str(account.pk), account.name) for account in accounts.order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return self.newest(queryset).filter(account=self.value())
