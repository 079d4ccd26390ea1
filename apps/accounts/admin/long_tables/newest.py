"""How far a page looks for what no index knows: among so many of the newest rows that the other filters leave.

The page says so, and leads further back.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.tenancy import TenantModel
from apps.core.ids import moment_of

MOST_LOOKED_AT = 25_000


def newest[M: TenantModel](request: HttpRequest, queryset: QuerySet[M]) -> QuerySet[M]:
    """Those to be looked at one by one. The first filter that asks decides, before it has taken any away."""
    if not hasattr(request, "_sifted_down_to"):
        ids = queryset.order_by("-pk").values_list("pk", flat=True)
        edge = ids[MOST_LOOKED_AT : MOST_LOOKED_AT + 1].first()
        request._sifted_down_to = edge  # type: ignore[attr-defined]
    edge = request._sifted_down_to  # type: ignore[attr-defined]
    return queryset if edge is None else queryset.filter(pk__gt=edge)


def sifted_down_to(request: HttpRequest) -> datetime | None:
    """How far back the page has looked; None where it looked at everything."""
    edge: UUID | None = getattr(request, "_sifted_down_to", None)
    return None if edge is None else moment_of(edge)
