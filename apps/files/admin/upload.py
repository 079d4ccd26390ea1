from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from apps.accounts.admin.base import TenantAdmin
from apps.accounts.roles import Scope
from apps.files import uploads
from apps.files.models import Upload


@admin.register(Upload)
class UploadAdmin(TenantAdmin[Upload]):
    """What is on its way in, and what became of it, for a week."""

    read_scope = Scope.FILES_READ
    write_scope = Scope.FILES_WRITE
    list_display = ["label", "way", "state", "progress", "created_at", "changed_at"]
    list_filter = ["state", "way"]
    ordering = ["-id"]
    show_full_result_count = False
    list_per_page = 50
    actions_detail = ["abort"]
    fields = ["label", "way", "state", "progress", "error_detail", "created_at", "changed_at", "id"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False

    @action(description=gettext_lazy("Abort"), permissions=["write"], url_path="abort")
    def abort(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            lambda _principal, upload: uploads.abort(upload),
            verb=_("Abort"),
            explanation=_("What arrived of it is removed. Whoever uploads has to begin again."),
            done=_("The upload was aborted."),
        )

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def label(self, upload: Upload) -> str:
        return str(upload)

    @admin.display(description=gettext_lazy("received"))
    def progress(self, upload: Upload) -> str:
        received = filesizeformat(upload.received)
        return f"{received} / {filesizeformat(upload.size)}" if upload.size is not None else received
