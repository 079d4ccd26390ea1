"""Tell the planner which invoices it has to think about anew."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from apps.accounts.models import Organization
from apps.core import clock


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
