"""Change an invoice in such a way that, once it is done, no reminder leaves that knew it as it was."""

import time
from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import connection, transaction
from rest_framework.exceptions import NotFound

from apps.accounts.models import Organization
from apps.billing.models import Invoice

logger = structlog.get_logger(__name__)

PATIENCE_SECONDS = 5.0
ASK_AGAIN_SECONDS = 0.05


class _InFlight(Exception):
    """A reminder of it is on its way to a provider: whatever was locked is let go."""


def once_none_is[R](
    organization: Organization, invoice_id: UUID, work: Callable[[Invoice], R], *, until: float | None = None
) -> R:
    """Runs `work` in a transaction that holds the invoice's row, while no reminder of it is at a provider.

    The race: a worker claims a reminder (its delivery becomes `sending`, committed), then asks our guard, which
    takes the rows of its invoices FOR SHARE SKIP LOCKED and holds the reminder back where one of them is locked
    or settled, and then calls the provider. So the row is locked first, and only then, in a statement of its own
    that sees what was committed meanwhile, it is asked what is `sending`:

    * A reminder that was claimed before we ask is seen. It may have passed the guard already, so it is waited
      for, without the lock, that others may go on.
    * One that is claimed after we asked comes to the guard after that, and finds our lock, or what we committed.

    A provider that hangs is waited for no longer than `until`, by time.monotonic().
    """
    deadline = time.monotonic() + PATIENCE_SECONDS if until is None else until
    while True:
        try:
            with transaction.atomic():
                invoice = _locked(organization, invoice_id)
                _check_in_flight(invoice_id, deadline)
                return work(invoice)
        except _InFlight:
            time.sleep(ASK_AGAIN_SECONDS)


def _locked(organization: Organization, invoice_id: UUID) -> Invoice:
    rows = Invoice.objects.for_organization(organization).filter(pk=invoice_id)
    invoice = rows.select_for_update(no_key=True).first()
    if invoice is None:
        raise NotFound
    return invoice


def _check_in_flight(invoice_id: UUID, deadline: float) -> None:
    if not _is_in_flight(invoice_id):
        return
    if time.monotonic() < deadline:
        raise _InFlight
    logger.warning("reminder_still_in_flight", invoice_id=str(invoice_id))


def _is_in_flight(invoice_id: UUID) -> bool:
    """From its reminders to their messages, and on to those that took the place of one that did not arrive."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE way (message_id, step) AS (
                SELECT touch.message_id, 0
                  FROM reminder JOIN reminder_touch AS touch ON touch.id = reminder.touch_id
                 WHERE reminder.invoice_id = %(invoice)s AND touch.message_id IS NOT NULL
                 UNION
                SELECT message.id, way.step + 1
                  FROM way JOIN message ON message.fallback_of_id = way.message_id
                 WHERE way.step < 10
            )
            SELECT EXISTS (
                SELECT 1 FROM way JOIN delivery USING (message_id) WHERE delivery.state = 'sending'
            )
            """,
            {"invoice": invoice_id},
        )
        return bool(cursor.fetchone()[0])
