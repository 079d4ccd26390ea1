from apps.billing.models.invoice import Invoice, InvoiceStatus
from apps.billing.models.invoice_import import ImportState, InvoiceImport
from apps.billing.models.payment import Payment, PaymentSource
from apps.billing.models.plan import ReminderPlan
from apps.billing.models.policy import Anchor, DaysOff, Late, ReminderPolicy, ReminderRule, Unit
from apps.billing.models.reminder import Reminder, ReminderState, Touch

__all__ = [
    "Anchor",
    "DaysOff",
    "ImportState",
    "Invoice",
    "InvoiceImport",
    "InvoiceStatus",
    "Late",
    "Payment",
    "PaymentSource",
    "Reminder",
    "ReminderPlan",
    "ReminderPolicy",
    "ReminderRule",
    "ReminderState",
    "Touch",
    "Unit",
]
