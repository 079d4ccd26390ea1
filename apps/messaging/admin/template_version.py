"""A version of a template for those who write it: a form while it is a draft, what it says from then on."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import StackedInline
from unfold.decorators import action, display

from apps.accounts.acting import principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.messaging.admin.bubbles import bubbles_of
from apps.messaging.admin.template_forms import TextForm, TextFormSet, VersionForm
from apps.messaging.models import Template, TemplateText, TemplateVersion
from apps.messaging.wording import versions
from apps.messaging.wording.variables import declared_by


class WordingAdmin[M: (Template, TemplateVersion)](TenantAdmin[M]):
    read_scope = Scope.TEMPLATES_READ
    write_scope = Scope.TEMPLATES_WRITE
    ordering: ClassVar[Sequence[str]] = ["-id"]

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """They stay, because messages name them."""
        return False


class TextInline(StackedInline):  # type: ignore[misc]
    model = TemplateText
    form = TextForm
    formset = TextFormSet
    verbose_name = gettext_lazy("text")
    verbose_name_plural = gettext_lazy("texts, one a language")
    ordering: ClassVar[Sequence[str]] = ["pk"]
    fieldsets = [
        (None, {"fields": ["language", "subject", "body"]}),
        (
            gettext_lazy("Attachment and buttons"),
            {"fields": ["media_kind", "media_url", "media_file_name", "buttons"], "classes": ["collapse"]},
        ),
        (
            gettext_lazy("At WhatsApp"),
            {"fields": ["whatsapp_name", "whatsapp_language", "whatsapp_components"], "classes": ["collapse"]},
        ),
    ]

    def get_extra(self, request: HttpRequest, obj: TemplateVersion | None = None, **kwargs: Any) -> int:
        return 0 if obj and TemplateText.across_organizations.filter(version=obj).exists() else 1

    # Whoever may change the version may change its texts.

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(TemplateVersion)
class TemplateVersionAdmin(WordingAdmin[TemplateVersion]):
    """Reached from its template. A draft is written here; what was published is shown."""

    form = VersionForm
    list_display = ["template", "number", "state", "created_at"]
    actions_detail = ["preview_version", "publish_version", "back_to_template"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateVersion]:
        return super().get_queryset(request).select_related("template", "organization")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.published_at is None)

    def get_inlines(self, request: HttpRequest, obj: TemplateVersion | None) -> list[Any]:
        return [TextInline] if obj and self.has_change_permission(request, obj) else []

    def get_fields(self, request: HttpRequest, obj: TemplateVersion | None = None) -> list[str]:
        is_open = self.has_change_permission(request, obj)
        return ["template", "standing", *(["variables"] if is_open else ["variables_shown", "says"])]

    def get_readonly_fields(self, request: HttpRequest, obj: TemplateVersion | None = None) -> list[str]:
        return ["template", "standing", "variables_shown", "says"]

    def save_for(self, principal: Principal, obj: TemplateVersion, form: Any, *, change: bool) -> None:
        """Together with its texts; see below."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        principal = principal_for(request, form.instance.organization)
        texts = [each.text for each in formset.kept]
        versions.rewrite(principal, form.instance, variables=form.declared, texts=texts)
        # What Django's own history would have told.
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    @action(description=gettext_lazy("Preview"), permissions=["view"], url_path="preview")
    def preview_version(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        version = self.get_one(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{version.template} {version}",
            "bubbles": bubbles_of(version),
            "back": self.address_of(version),
        }
        return TemplateResponse(request, "messaging/admin/template_preview.html", context)

    @action(description=gettext_lazy("Publish"), permissions=["write"], url_path="publish")
    def publish_version(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        version = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._publish, request, version)
        explanation = _("This version is sent from now on, and can no longer be changed.")
        return self.confirm(request, version, _("Publish"), explanation, variant="primary")

    def _publish(self, request: HttpRequest, version: TemplateVersion) -> HttpResponseBase:
        versions.publish(principal_for(request, version.organization), version)
        messages.success(request, _("%(template)s is sent in this version now.") % {"template": version.template})
        return redirect(template_page_of(version))

    @action(description=gettext_lazy("All versions"), permissions=["view"], url_path="template")
    def back_to_template(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return redirect(template_page_of(self.get_one(request, object_id)))

    @display(description=gettext_lazy("state"), label={"published": "success", "old": "info", "draft": "warning"})
    def state(self, version: TemplateVersion) -> tuple[str, str]:
        return _state_of(version), in_words(version)

    @admin.display(description=gettext_lazy("state"))
    def standing(self, version: TemplateVersion) -> str:
        return in_words(version)

    @admin.display(description=gettext_lazy("variables"))
    def variables_shown(self, version: TemplateVersion) -> SafeString:
        rows = [(each.name, each.type, each.sample) for each in declared_by(version)]
        return (
            format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {} = {}</li>", rows))
            if rows
            else SafeString("–")
        )

    @admin.display(description=gettext_lazy("what it says"))
    def says(self, version: TemplateVersion) -> SafeString:
        return bubbles_of(version)


def page_of(version: TemplateVersion) -> str:
    return reverse("admin:messaging_templateversion_change", args=[version.pk])


def template_page_of(version: TemplateVersion) -> str:
    return reverse("admin:messaging_template_change", args=[version.template_id])


def _state_of(version: TemplateVersion) -> str:
    if version.published_at is None:
        return "draft"
    return "published" if version.template.published_id == version.pk else "old"


def in_words(version: TemplateVersion) -> str:
    return {"draft": _("draft"), "published": _("published"), "old": _("no longer sent")}[_state_of(version)]
