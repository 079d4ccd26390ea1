"""Invoices: found, and brought to an end. They come through the API and from files."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.admin import TabularInline
from unfold.decorators import action, display

from apps.accounts.admin.long_tables.filters import SelectFilter
from apps.accounts.admin.long_tables.newest import newest
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.roles import Scope
from apps.billing import invoices, payments
from apps.billing.admin.preview_page import page_of
from apps.billing.models import Invoice, InvoiceStatus, Payment
from apps.billing.models.invoice import UNPAID
from apps.billing.planner.words import spoken
from apps.core import clock
from apps.messaging.search import as_id


class StatusFilter(SelectFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(InvoiceStatus.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else newest(request, queryset).filter(status=self.value())


class DueFilter(SelectFilter):
    """Of what is still owed."""

    title = gettext_lazy("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("overdue", gettext_lazy("overdue")),
            ("week", gettext_lazy("within seven days")),
            ("later", gettext_lazy("later")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = clock.now().date()
        week = today + timedelta(days=7)
        when = {
            "overdue": {"due_on__lt": today},
            "week": {"due_on__gte": today, "due_on__lte": week},
            "later": {"due_on__gt": week},
        }.get(self.value() or "")
        return queryset if when is None else newest(request, queryset).filter(status__in=UNPAID, **when)


class PaymentsInline(TabularInline):  # type: ignore[misc]
    model = Payment
    fields = ["paid_at", "money", "external_id", "created_at"]
    readonly_fields = fields
    ordering = ["-id"]
    per_page = 20
    show_title = False
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the invoice."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        found: QuerySet[Payment] = super().get_queryset(request).select_related("invoice")
        return found

    @admin.display(description=gettext_lazy("amount"))
    def money(self, payment: Payment) -> str:
        return in_words(payment.amount, payment.invoice.currency)


@admin.register(Invoice)
class InvoiceAdmin(LongTableAdmin[Invoice]):
    read_scope = Scope.INVOICES_READ
    write_scope = Scope.INVOICES_WRITE
    empty_hint = gettext_lazy("Import a file of invoices, or add them with POST /v1/invoices.")
    list_display = ["number", "customer", "money", "left", "due_on", "state"]
    list_filter = [StatusFilter, DueFilter]
    search_help_text = gettext_lazy("An id or a number, whole.")
    inlines = [PaymentsInline]
    actions_detail = ["preview_page", "mark_paid", "cancel_invoice", "dispute_invoice", "settle_invoice"]
    fields = [
        "number", "customer", "status", "money", "left", "due_on", "paid_at", "payment_url", "pix_code",
        "boleto_line", "tags", "metadata", "created_at", "changed_at", "id",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return super().get_queryset(request).select_related("contact")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        found = Invoice.across_organizations.filter(organization__in=organizations, number=text)
        named = as_id(text)
        return [*([named] if named else []), *found.values_list("pk", flat=True)]

    @action(description=gettext_lazy("What will be sent"), permissions=["view"], url_path="preview")
    def preview_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        invoice = self.get_one(request, object_id)
        context = self.admin_site.each_context(request) | page_of(invoice, request.GET.get("of"))
        context |= {"title": f"{_('What will be sent')}: {invoice}", "back": self.address_of(invoice)}
        return TemplateResponse(request, "billing/admin/preview.html", context)

    @action(description=gettext_lazy("Mark as paid"), permissions=["write"], url_path="pay")
    def mark_paid(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        invoice = self.get_one(request, object_id)
        explanation = _(
            "%(money)s of %(customer)s are written down as paid now. No reminder of this invoice leaves any more."
        )
        return self._guarded(
            self.after_asking,
            request,
            invoice,
            lambda principal, one: payments.pay(one.pk, principal.organization, None, None, "", principal.actor),
            verb=_("Mark as paid"),
            explanation=explanation % {"money": self.left(invoice), "customer": invoice.contact},
            done=_("The invoice is paid."),
            variant="primary",
        )

    @action(description=gettext_lazy("Cancel"), permissions=["write"], url_path="cancel")
    def cancel_invoice(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            invoices.cancel,
            verb=_("Cancel the invoice"),
            explanation=_("Nobody owes it any more, and nobody is reminded of it. This cannot be taken back."),
            done=_("The invoice is cancelled."),
        )

    @action(description=gettext_lazy("Dispute"), permissions=["write"], url_path="dispute")
    def dispute_invoice(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            invoices.dispute,
            verb=_("Dispute"),
            explanation=_("The customer says that it is wrong. Nobody is reminded of it until that is settled."),
            done=_("The invoice is disputed."),
        )

    @action(description=gettext_lazy("Settle the dispute"), permissions=["write"], url_path="settle")
    def settle_invoice(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            invoices.settle_dispute,
            verb=_("Settle the dispute"),
            explanation=_("It is owed as before, and the customer is reminded of it again."),
            done=_("The invoice is owed again."),
            variant="primary",
        )

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, invoice: Invoice) -> SafeString:
        url = reverse("admin:messaging_contact_change", args=[invoice.contact_id])
        return format_html('<a href="{}">{}</a>', url, invoice.contact)

    @admin.display(description=gettext_lazy("amount"))
    def money(self, invoice: Invoice) -> str:
        return in_words(invoice.amount, invoice.currency)

    @admin.display(description=gettext_lazy("still due"))
    def left(self, invoice: Invoice) -> str:
        return in_words(invoice.amount_due, invoice.currency)

    @display(
        description=gettext_lazy("status"),
        label={
            "open": "primary",
            "partly_paid": "info",
            "paid": "success",
            "cancelled": "danger",
            "disputed": "warning",
        },
    )
    def state(self, invoice: Invoice) -> tuple[str, str]:
        return invoice.status, invoice.get_status_display()


def in_words(amount: int, currency: str) -> str:
    """In the reader's language."""
    return spoken(amount, currency, get_language() or "")
