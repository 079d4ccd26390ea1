from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.files import files
from apps.files.models import File


@admin.register(File)
class FileAdmin(TenantAdmin[File]):
    """What is kept. Files come through the API, the live page and from people."""

    read_scope = Scope.FILES_READ
    write_scope = Scope.FILES_WRITE
    list_display = ["name", "media_type", "bytes", "is_used", "created_at"]
    list_filter = ["is_used"]
    ordering = ["-id"]
    show_full_result_count = False
    list_per_page = 50
    actions_detail = ["download"]
    fields = ["name", "picture", "media_type", "bytes", "sha256", "is_used", "created_at", "id"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: File | None = None) -> bool:
        return False

    def delete_for(self, principal: Principal, obj: File) -> None:
        files.delete(principal, obj)

    @action(description=_("Download"), permissions=["view"], url_path="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        answer = HttpResponseRedirect(files.link(self.get_one(request, object_id)).url)
        answer["Cache-Control"] = "no-store"
        return answer

    @admin.display(description=_("size"), ordering="size")
    def bytes(self, file: File) -> str:
        return filesizeformat(file.size)

    @admin.display(description=_("picture"))
    def picture(self, file: File) -> SafeString | str:
        link = files.thumbnail_link(file)
        return format_html('<img src="{}" alt="{}" height="240">', link.url, file.name) if link else "–"
