from apps.billing.admin.invoice import InvoiceAdmin
from apps.billing.admin.invoice_import import InvoiceImportAdmin
from apps.billing.admin.payment_source import PaymentSourceAdmin
from apps.billing.admin.policy import ReminderPolicyAdmin
from apps.billing.admin.reminder import ReminderAdmin

__all__ = ["InvoiceAdmin", "InvoiceImportAdmin", "PaymentSourceAdmin", "ReminderAdmin", "ReminderPolicyAdmin"]
