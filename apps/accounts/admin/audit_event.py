from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from apps.accounts.admin.base import TenantAdmin
from apps.accounts.models import AuditEvent
from apps.accounts.roles import Scope


@admin.register(AuditEvent)
class AuditEventAdmin(TenantAdmin[AuditEvent]):
    """To be read only: nobody writes here by hand."""

    read_scope = Scope.AUDIT_READ
    list_display = ["at", "actor_label", "action", "target_label", "what_changed", "ip"]
    # Filters and counts that would read the whole trail for each page are left out; searching finds the rest.
    list_filter = ["actor_kind"]
    search_fields = ["actor_label", "action", "target_label", "request_id"]
    ordering = ["-id"]
    fields = ["at", "actor_label", "actor_kind", "action", "target_label", "what_changed", "request_id", "ip"]
    readonly_fields = ["what_changed"]
    show_full_result_count = False
    paginator = InfinitePaginator

    @admin.display(description=_("changes"))
    def what_changed(self, event: AuditEvent) -> SafeString:
        rows = ((name, _shown(before), _shown(after)) for name, (before, after) in event.changes.items())
        return format_html_join("; ", "{}: {} → {}", rows)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
