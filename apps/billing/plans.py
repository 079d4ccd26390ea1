"""Tell the planner which invoices it has to think about anew."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.models import Organization
from apps.core import clock


def follow_merged(organization: Organization, merged_id: UUID, into_id: UUID, **_: Any) -> None:
    """Policies that name the one name the other now, and what is due of both is thought over together."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminder_policy SET customers = array_replace(customers, %(merged)s, %(into)s)
             WHERE organization_id = %(organization)s AND %(merged)s = ANY(customers)
            """,
            {"organization": organization.id, "merged": merged_id, "into": into_id},
        )
        cursor.execute(
            "UPDATE reminder_plan SET look_at = %s WHERE contact_id = %s AND organization_id = %s",
            [clock.now(), into_id, organization.id],
        )


def look_again(organization: Organization, invoice_ids: Iterable[UUID]) -> None:
    """In the transaction that creates or changes them: no planner sees the one without the other."""
    ids = list(invoice_ids)
    if not ids:
        return
    with connection.cursor() as cursor:
        # In one order: two batches with the same invoices would otherwise wait for each other.
        cursor.execute(
            """
            INSERT INTO reminder_plan (invoice_id, organization_id, contact_id, look_at)
            SELECT id, organization_id, contact_id, %(now)s
              FROM invoice
             WHERE organization_id = %(organization)s AND id = ANY(%(ids)s)
             ORDER BY id
            ON CONFLICT (invoice_id) DO UPDATE SET contact_id = EXCLUDED.contact_id, look_at = EXCLUDED.look_at
            """,
            {"organization": organization.id, "ids": ids, "now": clock.now()},
        )
