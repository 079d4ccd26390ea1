"""What the engine asks just before a reminder leaves: is it still owed, still true, and a decent hour?

A payment and a reminder that leave at the same moment meet at the invoice's row. Whoever writes down a payment
locks it, and then waits for reminders that are under way; whoever asks here finds it locked, and comes back. So no
reminder leaves after its invoice was marked paid, and nobody's lock is held while a provider is called.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import orjson
from django.db import connection, transaction

from apps.billing.dates import quiet
from apps.billing.dates.places import place_of
from apps.billing.models import Anchor, InvoiceStatus
from apps.billing.models.invoice import UNPAID
from apps.billing.planner.batch import set_looks
from apps.billing.reasons import sentence
from apps.core import clock
from apps.messaging.engine.guards import Asked, Stop, Verdict, Wait

GUARD = "billing"
# Somebody is just changing the invoice.
LOCKED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Reminded:
    """A reminder in a message, and its invoice as it stands now."""

    reminder_id: UUID
    invoice_id: UUID
    anchor: str | None
    is_policy_live: bool
    due_on: date
    amount_due: int
    # Empty while it is locked.
    status: str | None
    due_on_now: date | None
    amount_due_now: int | None

    @property
    def why_not(self) -> str:
        if self.status is None:
            return ""
        if not self.is_policy_live:
            return "policy_stopped"
        if self.anchor is None:
            return "policy_changed"
        if self.anchor == Anchor.PAID:
            return "" if self.status == InvoiceStatus.PAID else "not_paid"
        if self.status not in UNPAID:
            return self.status
        return "changed" if (self.due_on, self.amount_due) != (self.due_on_now, self.amount_due_now) else ""


def judge(asked: Sequence[Asked]) -> Mapping[UUID, Verdict]:
    reminded = _read([each.key for each in asked])
    verdicts: dict[UUID, Verdict] = {}
    for each in asked:
        theirs = reminded.get(each.key, [])
        if any(one.status is None for one in theirs):
            verdicts[each.key] = Wait(LOCKED_SECONDS)
        elif reasons := {one.reminder_id: why for one in theirs if (why := one.why_not)}:
            reason = next(iter(reasons.values()))
            _withdraw(theirs, reasons)
            verdicts[each.key] = Stop(reason, sentence(reason))
    calm = [each for each in asked if each.key not in verdicts]
    return verdicts | _quiet(calm)


def _read(touch_ids: Sequence[UUID]) -> dict[UUID, list[_Reminded]]:
    """One statement that waits for nobody: an invoice that is locked has no status here."""
    reminded: dict[UUID, list[_Reminded]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_READ, [list(touch_ids)])
        for touch_id, *row in cursor.fetchall():
            reminded[touch_id].append(_Reminded(*row))
    return reminded


def _withdraw(theirs: Sequence[_Reminded], reasons: Mapping[UUID, str]) -> None:
    """What is not true any more is kept with its reason; of the rest of the message a new one is made.

    So is of what only says another amount by now: its occasion is free again.
    """
    ended = {reminder_id: why for reminder_id, why in reasons.items() if why != "changed"}
    free = [one for one in theirs if one.reminder_id not in ended]
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        # First, as the planner does: who has a plan's row may write its reminders.
        set_looks({one.invoice_id: now for one in theirs})
        cursor.execute(_END, [list(ended), list(ended.values())])
        cursor.execute("DELETE FROM reminder WHERE id = ANY(%s::uuid[])", [[one.reminder_id for one in free]])


def _quiet(asked: Sequence[Asked]) -> dict[UUID, Verdict]:
    if not asked:
        return {}
    now = clock.now()
    verdicts: dict[UUID, Verdict] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [[each.key for each in asked]])
        places = {key: (place_of(zone, phone), hours) for key, zone, phone, hours in cursor.fetchall()}
    for each in asked:
        if each.key not in places:
            continue
        place, hours = places[each.key]
        allowed = quiet.read(orjson.loads(hours)).allowed_from(now, place, each.connector)
        if allowed is None:
            verdicts[each.key] = Stop("quiet", sentence("quiet"))
        elif allowed > now:
            verdicts[each.key] = Wait((allowed - now).total_seconds())
    return verdicts


# FOR SHARE: who writes down a payment locks against it. What is skipped because it is locked shows as missing.
_READ = """
WITH named AS MATERIALIZED (
    SELECT reminder.touch_id, reminder.id, reminder.invoice_id, rule.anchor,
           coalesce(policy.live_since IS NOT NULL, false) AS is_live, reminder.due_on, reminder.amount_due
      FROM reminder
      JOIN reminder_touch AS touch ON touch.id = reminder.touch_id
      LEFT JOIN reminder_rule AS rule ON rule.id = reminder.rule_id
      LEFT JOIN reminder_policy AS policy ON policy.id = touch.policy_id
     WHERE reminder.touch_id = ANY(%s::uuid[])
), now AS MATERIALIZED (
    SELECT id, status, due_on, greatest(0, amount - paid_amount) AS amount_due
      FROM invoice WHERE id IN (SELECT invoice_id FROM named)
       FOR SHARE SKIP LOCKED
)
SELECT named.*, now.status, now.due_on, now.amount_due
  FROM named LEFT JOIN now ON now.id = named.invoice_id
"""

_END = """
UPDATE reminder SET state = 'skipped', reason = ended.reason
  FROM unnest(%s::uuid[], %s::text[]) AS ended (id, reason)
 WHERE reminder.id = ended.id
"""

_PLACES = """
SELECT touch.id, contact.time_zone,
       coalesce((SELECT value FROM contact_address
                  WHERE contact_id = contact.id AND kind = 'phone' ORDER BY id LIMIT 1), ''),
       policy.quiet_hours::text
  FROM reminder_touch AS touch
  JOIN contact ON contact.id = touch.contact_id
  JOIN reminder_policy AS policy ON policy.id = touch.policy_id
 WHERE touch.id = ANY(%s::uuid[])
"""
