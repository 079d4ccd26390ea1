"""Templates for those who write them, each with its versions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.principal import Principal
from apps.messaging.admin.bubbles import bubbles_of
from apps.messaging.admin.template_forms import TemplateForm
from apps.messaging.admin.template_version import WordingAdmin, in_words, page_of
from apps.messaging.models import Template, TemplateVersion
from apps.messaging.wording import versions
from apps.messaging.wording.contents import TEXTS_IN_ORDER
from apps.messaging.wording.variables import declared_by

MOST_VERSIONS = 50


class ArchivedFilter(admin.SimpleListFilter):
    title = gettext_lazy("archived")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("In use")), ("yes", gettext_lazy("Archived"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> QuerySet[Template]:
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(archived_at__isnull=chosen == "no")


@admin.register(Template)
class TemplateAdmin(WordingAdmin[Template]):
    form = TemplateForm
    empty_hint = gettext_lazy(
        "A template is a text with gaps, in several languages. Write one here, publish it, and send it by "
        "its name."
    )
    list_display = ["name", "category", "description", "published", "state", "created_at"]
    list_filter = [ArchivedFilter]
    search_fields = ["name", "description"]
    actions_detail = ["new_version", "archive_template", "restore_template"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        return super().get_queryset(request).select_related("published", "organization")

    def get_form(
        self, request: HttpRequest, obj: Template | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        principal = acting_principal(request)
        form.acting_organization = principal and principal.organization
        return form

    def get_fields(self, request: HttpRequest, obj: Template | None = None) -> list[str]:
        excluded = self.get_exclude(request, obj)
        head = [name for name in ("organization", "name", "category", "description") if name not in excluded]
        return head if obj is None else [*head, "standing", "all_versions", "says"]

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> list[str]:
        return [] if obj is None else ["name", "standing", "all_versions", "says"]

    def save_for(self, principal: Principal, obj: Template, form: Any, *, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in versions.CHANGEABLE}
        if change:
            versions.change(principal, obj, **values)
        else:
            obj.pk = versions.create(principal, name=obj.name, **values).template_id

    def response_add(self, request: HttpRequest, obj: Template, post_url_continue: Any = None) -> HttpResponse:
        """On to what it says."""
        return HttpResponseRedirect(page_of(TemplateVersion.across_organizations.get(template=obj, number=1)))

    @action(description=gettext_lazy("New version"), permissions=["write"], url_path="new-version")
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        template = self.get_one(request, object_id)
        if request.method == "POST":
            found = TemplateVersion.across_organizations.filter(template=template).prefetch_related(TEXTS_IN_ORDER)
            copied = found.get(pk=template.published_id) if template.published_id else found.latest("number")
            draft = versions.draft(
                principal_for(request, template.organization),
                template,
                variables=declared_by(copied),
                texts=list(copied.texts.all()),
            )
            return redirect(page_of(draft))
        explanation = _(
            "A draft is made, with the texts that are sent now. They stay until you publish the draft."
        )
        return self.confirm(request, template, _("New version"), explanation, variant="primary")

    @action(description=gettext_lazy("Archive"), permissions=["write"], url_path="archive")
    def archive_template(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.after_asking(
            request,
            self.get_one(request, object_id),
            versions.archive,
            verb=_("Archive"),
            explanation=_("Messages that name it are refused from then on. What waits already is sent."),
            done=_("The template is archived."),
        )

    @action(description=gettext_lazy("Use again"), permissions=["write"], url_path="restore")
    def restore_template(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.after_asking(
            request,
            self.get_one(request, object_id),
            versions.restore,
            verb=_("Use again"),
            explanation=_("Messages may name it again."),
            done=_("The template is in use again."),
            variant="primary",
        )

    @display(
        description=gettext_lazy("state"), label={"published": "success", "draft": "warning", "archived": "info"}
    )
    def state(self, template: Template) -> tuple[str, str]:
        if template.archived_at is not None:
            return "archived", _("archived")
        return ("published", _("published")) if template.published_id else ("draft", _("draft"))

    @admin.display(description=gettext_lazy("state"))
    def standing(self, template: Template) -> str:
        return str(self.state(template)[1])

    @admin.display(description=gettext_lazy("versions"))
    def all_versions(self, template: Template) -> SafeString:
        found = TemplateVersion.across_organizations.filter(template=template).select_related("template")
        newest = found.order_by("-number")[:MOST_VERSIONS]
        rows = ((page_of(version), version, in_words(version)) for version in newest)
        link = '<li><a class="font-medium text-primary-600 dark:text-primary-500" href="{}">{}</a> · {}</li>'
        return format_html("<ul>{}</ul>", format_html_join("", link, rows))

    @admin.display(description=gettext_lazy("what it says"))
    def says(self, template: Template) -> SafeString:
        newest = TemplateVersion.across_organizations.filter(template=template).order_by("-number")
        version = template.published or newest.first()
        return bubbles_of(version) if version else SafeString("–")
