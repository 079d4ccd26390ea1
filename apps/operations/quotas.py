"""What an organization uses of its month, out of what was added up by the day."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from apps.core import clock
from apps.core.months import month_of
from apps.operations.models import Span, Traffic


def used_this_month(organization_id: UUID) -> int:
    return used_by([organization_id]).get(organization_id, 0)


def used_by(organization_ids: Collection[UUID]) -> dict[UUID, int]:
    """Messages accepted, by organization; those that sent none are missing."""
    days = Traffic.across_organizations.filter(
        organization__in=organization_ids, span=Span.DAY, starts_at__gte=month_of(clock.now()).begins
    )
    return dict(days.values_list("organization").annotate(Sum("accepted")).order_by())


def look() -> int:
    """Says on each organization that its quota is reached, or is not any more; of how many that changed.

    What is accepted between two looks is accepted: a sender at full speed comes somewhat above the quota.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, {"now": now, "month": month_of(now).begins})
        return int(cursor.rowcount)


# The quota is compared in the row that is written: one that was changed this moment is the one that counts.
_LOOK = """
WITH used AS MATERIALIZED (
    SELECT asked.id, coalesce(sum(traffic.accepted), 0) AS messages
      FROM organization AS asked
      LEFT JOIN traffic ON traffic.organization_id = asked.id AND traffic.span = 'day'
                       AND traffic.starts_at >= %(month)s
     WHERE asked.monthly_quota IS NOT NULL
     GROUP BY asked.id
)
UPDATE organization
   SET quota_reached_at = CASE WHEN used.messages >= organization.monthly_quota THEN %(now)s::timestamptz END
  FROM used
 WHERE organization.id = used.id
   AND CASE WHEN used.messages >= organization.monthly_quota
            THEN organization.quota_reached_at IS NULL OR organization.quota_reached_at < %(month)s
            ELSE organization.quota_reached_at IS NOT NULL
       END
"""
