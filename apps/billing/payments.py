"""Money that came: written down once, however often we are told of it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Actor
from apps.billing import in_flight, plans
from apps.billing.models import Invoice, InvoiceStatus, Payment
from apps.billing.new_invoice import MOST_AMOUNT
from apps.core import clock
from apps.core.api.problems import Conflict, field_error

LONGEST_EXTERNAL_ID = 120
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# Of clocks that go wrong.
AHEAD = timedelta(days=1)


class InvoiceCancelled(Conflict):
    default_code = "invoice_cancelled"
    default_detail = gettext_lazy("This invoice is cancelled, so it takes no payment.")


class PaymentElsewhere(Conflict):
    default_code = "payment_elsewhere"
    default_detail = gettext_lazy("A payment with this external_id is known, of another invoice.")


def pay(  # noqa: PLR0917 - who pays, what, when and by which name: as it is said
    invoice_id: UUID,
    organization: Organization,
    amount: int | None,
    paid_at: datetime | None,
    external_id: str,
    actor: Actor,
    *,
    until: float | None = None,
) -> Invoice:
    """Without an amount, the rest. Once this has returned, no reminder leaves that does not know of it.

    How long it waits for one that is at a provider this moment, `until` says; see in_flight.
    """
    _check(amount, paid_at)

    def paid(invoice: Invoice) -> Invoice:
        return _paid(
            organization,
            invoice,
            amount=amount,
            paid_at=paid_at or clock.now(),
            external_id=external_id,
            actor=actor,
        )

    try:
        return in_flight.once_none_is(organization, invoice_id, paid, until=until)
    except IntegrityError as error:  # told of for another invoice, this moment
        raise PaymentElsewhere from error


def _check(amount: int | None, paid_at: datetime | None) -> None:
    if amount is not None and not 0 < amount <= MOST_AMOUNT:
        raise field_error("amount", "out_of_range", _("An amount is above zero and below ten trillion."))
    if paid_at is not None and not EARLIEST <= paid_at <= clock.now() + AHEAD:
        raise field_error("paid_at", "out_of_range", _("A payment is not of the future, nor of another century."))


def _paid(
    organization: Organization,
    invoice: Invoice,
    *,
    amount: int | None,
    paid_at: datetime,
    external_id: str,
    actor: Actor,
) -> Invoice:
    if external_id:
        known = Payment.objects.for_organization(organization).filter(external_id=external_id).first()
        if known is not None:
            if known.invoice_id != invoice.pk:
                raise PaymentElsewhere
            return invoice
    if invoice.status == InvoiceStatus.CANCELLED:
        raise InvoiceCancelled
    money = invoice.amount_due if amount is None else amount
    if not money:
        return invoice
    if invoice.paid_amount + money > MOST_AMOUNT:
        raise field_error("amount", "out_of_range", _("More was paid than an invoice can be about."))
    before = audit.snapshot(invoice, ("status", "paid_amount", "paid_at"))
    now = clock.now()
    Payment.across_organizations.create(
        organization=organization, invoice=invoice, external_id=external_id, amount=money,
        paid_at=paid_at, created_at=now,
    )  # fmt: skip
    invoice.paid_amount += money
    invoice.changed_at = now
    if not invoice.amount_due:
        # What comes on top of all does not change when it was paid.
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, invoice.paid_at or paid_at
    elif invoice.status == InvoiceStatus.OPEN:
        invoice.status = InvoiceStatus.PARTLY_PAID
    invoice.save(update_fields=["status", "paid_amount", "paid_at", "changed_at"])
    plans.look_again(organization, [invoice.id])
    changes = audit.difference(before, invoice)
    audit.record(actor, "invoice.payment_recorded", invoice, organization=organization, changes=changes)
    return invoice
