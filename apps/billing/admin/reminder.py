"""Reminders to be read: of which invoice, when, and what became of them, or why they were not sent."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.decorators import display

from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.roles import Scope
from apps.billing.chains import last_messages
from apps.billing.models import Invoice, Reminder
from apps.billing.planner.words import spoken
from apps.billing.reasons import sentence
from apps.billing.rule_words import in_words
from apps.messaging.admin.words import error_in_words
from apps.messaging.search import as_id


@admin.register(Reminder)
class ReminderAdmin(LongTableAdmin[Reminder]):
    read_scope = Scope.INVOICES_READ
    write_scope = Scope.INVOICES_WRITE
    empty_hint = gettext_lazy(
        "Nobody was reminded. Reminders come of a policy that is live, and of invoices that fall due."
    )
    list_display = ["planned_for", "invoice_link", "rule_in_words", "standing", "why", "message_link"]
    search_help_text = gettext_lazy("An id, or an invoice's number or id, whole.")
    fields = [
        "planned_for", "invoice_link", "rule_in_words", "state", "why", "message_link", "outcome", "due_on",
        "owed", "occurrence", "created_at", "id",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reminder]:
        return super().get_queryset(request).select_related("invoice", "rule", "touch")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        named = as_id(text)
        invoices = Invoice.across_organizations.filter(organization__in=organizations, number=text)
        ids = [*([named] if named else []), *invoices.values_list("pk", flat=True)[:50]]
        found = Reminder.across_organizations.filter(organization__in=organizations, invoice__in=ids)
        return [*([named] if named else []), *found.values_list("pk", flat=True)]

    @admin.display(description=gettext_lazy("invoice"))
    def invoice_link(self, reminder: Reminder) -> SafeString:
        return format_html(
            '<a class="font-medium text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:billing_invoice_change", args=[reminder.invoice_id]),
            reminder.invoice,
        )

    @admin.display(description=gettext_lazy("rule"))
    def rule_in_words(self, reminder: Reminder) -> str:
        return in_words(reminder.rule) if reminder.rule else _("gone by now")

    @display(description=gettext_lazy("state"), label={"told": "success", "skipped": "warning"})
    def standing(self, reminder: Reminder) -> tuple[str, str]:
        return reminder.state, reminder.get_state_display()

    @admin.display(description=gettext_lazy("why"))
    def why(self, reminder: Reminder) -> str:
        return sentence(reminder.reason) if reminder.reason else "–"

    @admin.display(description=gettext_lazy("message"))
    def message_link(self, reminder: Reminder) -> SafeString | str:
        if reminder.touch is None or reminder.touch.message_id is None:
            return "–"
        url = reverse("admin:messaging_message_change", args=[reminder.touch.message_id])
        link = '<a class="font-medium text-primary-600 dark:text-primary-500" href="{}">{}</a>'
        return format_html(link, url, _("Show"))

    @admin.display(description=gettext_lazy("what became of it"))
    def outcome(self, reminder: Reminder) -> str:
        """Of the last way that was tried."""
        first = reminder.touch and reminder.touch.message_id
        last = last_messages([first]).get(first) if first else None
        if last is None:
            return "–"
        error = error_in_words(last.error_class, last.error_code, last.error_detail)
        return f"{last.account}: {last.get_status_display()}" + (f" ({error})" if last.error_class else "")

    @admin.display(description=gettext_lazy("amount due"))
    def owed(self, reminder: Reminder) -> str:
        return spoken(reminder.amount_due, reminder.invoice.currency, get_language() or "")
