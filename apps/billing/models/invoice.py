from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.messaging.models import Contact


class InvoiceStatus(models.TextChoices):
    OPEN = "open", _("open")
    PARTLY_PAID = "partly_paid", _("partly paid")
    PAID = "paid", _("paid")
    CANCELLED = "cancelled", _("cancelled")
    # The customer says that it is wrong: nobody is reminded of it until that is settled.
    DISPUTED = "disputed", _("disputed")


# Of these people are reminded.
UNPAID = (InvoiceStatus.OPEN, InvoiceStatus.PARTLY_PAID)


class Invoice(TenantModel):
    """What a customer owes, until when, and how it can be paid."""

    # The organization's own: whoever brings it again changes this one.
    number = models.CharField(_("number"), max_length=80)
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, related_name="+", verbose_name=_("customer"), db_index=False
    )
    # In the smallest unit of the currency.
    amount = models.BigIntegerField(_("amount in cents"))
    paid_amount = models.BigIntegerField(_("paid of it, in cents"), default=0)
    currency = models.CharField(_("currency"), max_length=3, default="BRL")
    due_on = models.DateField(_("due"))
    status = models.CharField(_("status"), max_length=11, choices=InvoiceStatus, default=InvoiceStatus.OPEN)
    payment_url = models.CharField(_("payment link"), max_length=2000, blank=True)
    pix_code = models.CharField(_("Pix copy and paste"), max_length=1024, blank=True)
    boleto_line = models.CharField(_("boleto line"), max_length=60, blank=True)
    tags = ArrayField(models.CharField(max_length=40), verbose_name=_("tags"), default=list, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        db_table = "invoice"
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [
            # Also serves the look-up by number.
            models.UniqueConstraint(fields=["organization", "number"], name="invoice_number"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoice_amount"),
            models.CheckConstraint(condition=models.Q(paid_amount__gte=0), name="invoice_paid_amount"),
            models.CheckConstraint(condition=models.Q(status__in=InvoiceStatus.values), name="invoice_status"),
            models.CheckConstraint(
                condition=models.Q(status="paid", paid_at__isnull=False)
                | (~models.Q(status="paid") & models.Q(paid_at__isnull=True)),
                name="invoice_paid_at",
            ),
        ]
        indexes = [
            # The list of an organization's invoices, newest first.
            models.Index(fields=["organization", "-id"], name="invoice_list"),
            # What is still owed, by when; and what a policy that changed applies to.
            models.Index(
                fields=["organization", "due_on", "id"],
                condition=models.Q(status__in=["open", "partly_paid"]),
                name="invoice_unpaid",
            ),
            # A customer's.
            models.Index(fields=["contact", "-id"], name="invoice_contact"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def amount_due(self) -> int:
        return max(0, self.amount - self.paid_amount)

    @property
    def is_unpaid(self) -> bool:
        return self.status in UNPAID
