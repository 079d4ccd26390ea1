"""What the pages over long tables have in common: nothing is counted, sorted or searched without an index."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from apps.accounts.acting import acting_principal, organizations_of
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.admin.long_tables import newest
from apps.accounts.admin.long_tables.filters import UNTIL, OrganizationFilter, TimeFilter
from apps.accounts.admin.long_tables.newest import sifted_down_to
from apps.accounts.admin.long_tables.pages import BoundedChangeList, BoundedPaginator
from apps.accounts.tenancy import TenantModel


class LongTableAdmin[M: TenantModel](TenantAdmin[M]):
    """To be read, and changed by actions only."""

    ordering: ClassVar[Sequence[str]] = ["-id"]
    sortable_by: ClassVar[Sequence[str]] = ()
    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50
    # One page after the other: all at once would be thousands.
    list_max_show_all = 0
    # Filters are fields, for one can be written in; they count when the form is sent.
    list_filter_submit = True
    list_before_template = "accounts/admin/sifted.html"
    # Shows the search box; what is searched is said by `find`.
    search_fields: ClassVar[Sequence[str]] = ["id"]

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        """The ids of what somebody looks for."""
        raise NotImplementedError

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        return BoundedChangeList

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """What an index knows comes first: then the others look at what is left."""
        filters = [each for each in super().get_list_filter(request) if each != "organization"]
        return [*([] if acting_principal(request) else [OrganizationFilter]), TimeFilter, *filters]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().changelist_view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data |= _how_far_it_looked(request, response.context_data.get("cl"))
        return response

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


def _how_far_it_looked(request: HttpRequest, changelist: Any) -> dict[str, Any]:
    """Where there is more than the pages show, the way on from the last row that they do show."""
    sifted, shown = sifted_down_to(request), changelist and changelist.shown_down_to()
    edge = shown or sifted
    if edge is None or changelist is None:
        return {}
    # Others may have been made in the same millisecond.
    until = edge + timedelta(milliseconds=1)
    return {
        "most_looked_at": newest.MOST_LOOKED_AT,
        "sifted_down_to": sifted,
        "further_back": changelist.get_query_string({UNTIL: f"{until:%Y-%m-%dT%H:%M:%S}.{until:%f}"[:-3]}, ["p"]),
    }
