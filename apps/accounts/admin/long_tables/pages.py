"""Pages of long lists: what is counted is exact, or said to be more than that."""

from datetime import datetime
from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from apps.core.ids import moment_of

MOST_COUNTED = 10_000


def counted(count: int) -> str:
    """For people; `count` may be one more than is counted."""
    shown = number_format(min(count, MOST_COUNTED), use_l10n=True, force_grouping=True)
    return _("more than %(number)s") % {"number": shown} if count > MOST_COUNTED else shown


class BoundedPaginator(Paginator[Any]):
    """Counts one further than anybody turns pages.

    One look at the ids tells how many there are and which of them a page has.
    """

    object_list: QuerySet[Any]
    template_name = "messaging/admin/pages.html"

    @cached_property
    def ids(self) -> list[Any]:
        return list(self.object_list.values_list("pk", flat=True)[: MOST_COUNTED + 1])

    @property
    def looked_at(self) -> int:
        return len(self.ids)

    @property
    def count(self) -> int:
        return min(self.looked_at, MOST_COUNTED)

    def ids_on(self, number: int) -> list[Any]:
        first = (number - 1) * self.per_page
        return self.ids[first : min(first + self.per_page, self.count)]


class BoundedChangeList(ChangeList):  # type: ignore[misc]
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = self._rows(request, self.paginator.ids_on(self.page_num if self.multi_page else 1))
        # No number of its own in the title: the pages below say how many there are.
        self.full_result_count = self.result_count
        per_page = self.list_per_page
        self.first_shown = (self.page_num - 1) * per_page + 1 if self.result_count else 0
        self.last_shown = self.first_shown + len(self.result_list) - 1 if self.result_count else 0
        self.count_in_words = counted(self.paginator.looked_at)

    def _rows(self, request: HttpRequest, ids: list[Any]) -> QuerySet[Any]:
        """By their ids alone: what they were found by need not be looked at again, nor what others come with."""
        rows: QuerySet[Any] = self.root_queryset.filter(pk__in=ids)
        if not rows.query.select_related:
            rows = self.apply_select_related(rows)
        return rows.order_by(*self.get_ordering(request, rows))

    def shown_down_to(self) -> datetime | None:
        """When the last row was made that has a page; None where all have one."""
        ids = self.paginator.ids
        return moment_of(ids[MOST_COUNTED - 1]) if len(ids) > MOST_COUNTED else None

    def previous_page(self) -> str:
        return self._page(self.page_num - 1) if self.page_num > 1 else ""

    def next_page(self) -> str:
        return self._page(self.page_num + 1) if self.page_num < self.paginator.num_pages else ""

    def _page(self, number: int) -> str:
        return str(self.get_query_string({PAGE_VAR: number}))
