from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.billing.models.invoice import Invoice
from apps.billing.models.policy import ReminderPolicy, ReminderRule
from apps.messaging.models import Contact


class ReminderState(models.TextChoices):
    # Its message was accepted; what became of that, the message says.
    TOLD = "told", _("handed over")
    # Not sent: `reason` says why.
    SKIPPED = "skipped", _("not sent")


class Touch(TenantModel):
    """One message to a customer that reminds of one invoice or several."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    policy = models.ForeignKey(
        ReminderPolicy, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    # The first of its ways; those that took its place name it.
    message_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        db_table = "reminder_touch"
        verbose_name = _("touch")
        verbose_name_plural = _("touches")
        indexes = [
            # How often a customer was written to.
            models.Index(fields=["contact", "-created_at"], name="reminder_touch_contact"),
            # A policy's results.
            models.Index(fields=["policy", "-created_at"], name="reminder_touch_policy"),
            # The touch of a message.
            models.Index(fields=["message_id"], name="reminder_touch_message"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Reminder(TenantModel):
    """That an invoice was reminded of by a rule, on an occasion: written once, whatever dies."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="reminders", db_index=False)
    rule = models.ForeignKey(ReminderRule, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    # The moment by the rule, before days off moved it: a due date that moves makes new occasions.
    occurrence = models.DateTimeField(_("occasion"))
    planned_for = models.DateTimeField(_("planned for"))
    # What the words were made of: where the invoice says something else by now, they are not sent.
    due_on = models.DateField(_("due"))
    amount_due = models.BigIntegerField(_("amount due"))
    touch = models.ForeignKey(Touch, on_delete=models.CASCADE, null=True, related_name="reminders", db_index=False)
    state = models.CharField(_("state"), max_length=7, choices=ReminderState)
    # A word for programs; apps.billing.reasons has the sentences.
    reason = models.CharField(_("why"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        db_table = "reminder"
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            # Exactly once. Also serves what an invoice had already.
            models.UniqueConstraint(fields=["invoice", "rule", "occurrence"], name="reminder_once"),
        ]
        indexes = [
            # The list of an organization's, newest first.
            models.Index(fields=["organization", "-id"], name="reminder_list"),
            # Of a rule that goes.
            models.Index(fields=["rule"], name="reminder_rule_of"),
            # What a message reminds of.
            models.Index(fields=["touch"], condition=models.Q(touch__isnull=False), name="reminder_touch_of"),
        ]

    def __str__(self) -> str:
        return str(self.id)
