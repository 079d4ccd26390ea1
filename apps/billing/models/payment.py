from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.billing.models.invoice import Invoice
from apps.core.fields import EncryptedTextField


class Payment(TenantModel):
    """Money that came for an invoice, as we were told."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="payments", db_index=False)
    # Of whoever tells of it: the same payment is told of more than once. Empty where a person writes it down.
    external_id = models.CharField(_("payment's id"), max_length=120, blank=True)
    amount = models.BigIntegerField(_("amount in cents"))
    paid_at = models.DateTimeField(_("paid"))
    created_at = models.DateTimeField(_("told of"))

    class Meta:
        db_table = "payment"
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                condition=~models.Q(external_id=""),
                name="payment_external_id",
            ),
        ]
        indexes = [
            # Of an invoice.
            models.Index(fields=["invoice", "id"], name="payment_invoice"),
        ]

    def __str__(self) -> str:
        return self.external_id or str(self.id)


class PaymentSource(TenantModel):
    """Who may tell us of payments: a bank's or a payment provider's system, which signs what it says."""

    name = models.CharField(_("name"), max_length=80)
    secret = EncryptedTextField(editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "payment_source"
        verbose_name = _("payment source")
        verbose_name_plural = _("payment sources")
        constraints = [
            # Also serves the list.
            models.UniqueConstraint(fields=["organization", "name"], name="payment_source_name"),
        ]

    def __str__(self) -> str:
        return self.name
