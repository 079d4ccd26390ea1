from django.db import models

from apps.accounts.tenancy import TenantModel
from apps.billing.models.invoice import Invoice
from apps.messaging.models import Contact


class ReminderPlan(TenantModel):
    """When the planner has to look at an invoice next: all that it reads to find out what is due.

    Whatever changes an invoice, a policy or a customer sets it to now; the planner then thinks anew.
    """

    id = None  # type: ignore[assignment]
    invoice = models.OneToOneField(Invoice, primary_key=True, on_delete=models.CASCADE, related_name="plan")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Empty: there is nothing more to do for it.
    look_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reminder_plan"
        indexes = [
            # What is due, oldest first.
            models.Index(
                fields=["look_at", "contact"], condition=models.Q(look_at__isnull=False), name="reminder_plan_due"
            ),
            # What else is due for a customer: it goes in one message.
            models.Index(fields=["contact"], name="reminder_plan_contact"),
            # All of an organization's, to think anew when a policy changes.
            models.Index(fields=["organization", "invoice"], name="reminder_plan_organization"),
        ]

    def __str__(self) -> str:
        return str(self.invoice_id)
