"""Files of invoices: brought, and how far each is, on a page that follows it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.roles import Scope
from apps.billing import imports
from apps.billing.admin.import_form import ImportForm
from apps.billing.models import InvoiceImport
from apps.files.stores.store import StoreFailed
from apps.messaging.search import as_id

REFRESH_SECONDS = 2
MOST_SHOWN = 200


@admin.register(InvoiceImport)
class InvoiceImportAdmin(LongTableAdmin[InvoiceImport]):
    read_scope = Scope.INVOICES_READ
    write_scope = Scope.INVOICES_WRITE
    list_display = ["label", "status", "progress", "created_rows", "changed_rows", "refused_rows", "created_at"]
    search_help_text = gettext_lazy("An id, whole.")
    fields = [
        "label", "state", "progress", "error_detail", "created_rows", "changed_rows", "unchanged_rows",
        "refused_rows", "wrong", "created_at", "changed_at", "id",
    ]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceImport]:
        return super().get_queryset(request).select_related("file")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        named = as_id(text)
        return [named] if named else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_write_permission(request)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Not within a transaction, as the admin's own is: the store is written to."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._guarded(self._add, request)

    def _add(self, request: HttpRequest) -> HttpResponseBase:
        member = acting_principal(request)
        given = (request.POST, request.FILES) if request.method == "POST" else ()
        form = ImportForm(member.organization if member else None, *given)
        if form.is_valid():
            principal = member or principal_for(request, form.cleaned_data["organization"])
            try:
                file_id = form.cleaned_data.get("known") or imports.keep(principal, form.cleaned_data["upload"]).pk
            except StoreFailed:
                form.add_error("upload", _("The storage cannot be reached at the moment. Try again."))
            else:
                started = imports.start(principal, UUID(str(file_id)))
                messages.success(request, _("The file is being read. This page shows how far it is."))
                return HttpResponseRedirect(self.address_of(started))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import invoices"),
            "form": form,
            "back": reverse("admin:billing_invoiceimport_changelist"),
        }
        return TemplateResponse(request, "billing/admin/import.html", context)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Comes again by itself, without a script, until the file is read."""
        page: HttpResponseBase = super().change_view(request, object_id, *args, **kwargs)
        if page.status_code == 200 and self.get_one(request, object_id).state in imports.UNFINISHED:
            page["Refresh"] = str(REFRESH_SECONDS)
        return page

    @admin.display(description=gettext_lazy("file"))
    def label(self, found: InvoiceImport) -> str:
        return found.file.name if found.file else _("deleted")

    @display(
        description=gettext_lazy("state"),
        label={"waiting": "info", "running": "info", "done": "success", "refused": "danger"},
    )
    def status(self, found: InvoiceImport) -> tuple[str, str]:
        return found.state, found.get_state_display()

    @admin.display(description=gettext_lazy("rows read"))
    def progress(self, found: InvoiceImport) -> SafeString | str:
        if not found.total_rows:
            return str(found.done_rows)
        bar = '<progress value="{0}" max="{1}" aria-label="{2}"></progress> {0} / {1}'
        return format_html(bar, found.done_rows, found.total_rows, _("rows read"))

    @admin.display(description=gettext_lazy("what is wrong"))
    def wrong(self, found: InvoiceImport) -> SafeString | str:
        if not found.errors:
            return "–"
        lines = ((_("Row %(row)d") % each, each["field"], each["detail"]) for each in found.errors[:MOST_SHOWN])
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {} {}</li>", lines))
