"""A policy that changed: all plans of its organization are set to be thought over, some at a time."""

from django.db import connection

from apps.core import clock

AT_ONCE = 5_000


def set_some() -> int:
    """How many were set. It goes on where whoever died stopped."""
    with connection.cursor() as cursor:
        cursor.execute(_SET_SOME, {"most": AT_ONCE, "now": clock.now()})
        (count,) = cursor.fetchone()
    return int(count)


# Only what is still owed: nobody is thanked for what was paid before the policy.
_SET_SOME = """
WITH policy AS MATERIALIZED (
    SELECT id, organization_id, anew_after FROM reminder_policy
     WHERE anew_after IS NOT NULL ORDER BY id LIMIT 1 FOR UPDATE
), passage AS MATERIALIZED (
    SELECT plan.invoice_id, invoice.status IN ('open', 'partly_paid') AS is_unpaid
      FROM policy
      JOIN LATERAL (SELECT invoice_id FROM reminder_plan
                     WHERE organization_id = policy.organization_id AND invoice_id > policy.anew_after
                     ORDER BY invoice_id LIMIT %(most)s) AS plan ON true
      JOIN invoice ON invoice.id = plan.invoice_id
), marked AS (
    UPDATE reminder_plan SET look_at = %(now)s
      FROM passage WHERE reminder_plan.invoice_id = passage.invoice_id AND passage.is_unpaid
), moved AS (
    UPDATE reminder_policy
       SET anew_after = (SELECT invoice_id FROM passage ORDER BY invoice_id DESC LIMIT 1)
      FROM policy WHERE reminder_policy.id = policy.id
)
SELECT count(*) FROM passage
"""
