"""Registration flows for those who write them: whom they ask, for what, in which words, and how far people got."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Func, IntegerField, OuterRef, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.admin import StackedInline
from unfold.decorators import action, display

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels.models import ChannelAccount
from apps.registration import definition, flows
from apps.registration.admin import flow_document, funnel_page
from apps.registration.admin.flow_document import text_fields
from apps.registration.admin.flow_form import FlowForm
from apps.registration.admin.question_rows import QuestionForm, QuestionRows, in_rows
from apps.registration.default_texts import CONSENT
from apps.registration.models import FlowVersion, RegistrationFlow

_OTHER_TEXTS = [name for name in flow_document.TEXTS if name != CONSENT]
_SHOWN = ["name", "standing", "version", "channels", "keywords", "questions_in_words"]


class QuestionInline(StackedInline):  # type: ignore[misc]
    model = FlowVersion
    form = QuestionForm
    formset = QuestionRows
    template = "registration/admin/questions.html"
    verbose_name = gettext_lazy("question")
    verbose_name_plural = gettext_lazy("what people are asked for")
    # The page would forget what was typed into the rows below the one that is taken away.
    can_delete = False
    fieldsets = [
        (None, {"fields": ["kind", "key", "order", "required", "left_out", *text_fields(["ask"])]}),
        (
            gettext_lazy("Help, and its name in the summary"),
            {"fields": text_fields(["help", "label"]), "classes": ["collapse"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FlowVersion]:
        """What is published is never changed: its questions begin the form, and make a new version."""
        return FlowVersion.across_organizations.none()

    def get_extra(self, request: HttpRequest, obj: RegistrationFlow | None = None, **kwargs: Any) -> int:
        return len(in_rows(_published(obj)))

    # Whoever may change the flow may change its questions.

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(RegistrationFlow)
class RegistrationFlowAdmin(TenantAdmin[RegistrationFlow]):
    read_scope = Scope.REGISTRATIONS_READ
    write_scope = Scope.FLOWS_WRITE
    form = FlowForm
    empty_hint = gettext_lazy(
        "A flow asks people for what you need to know, in a conversation. Write one, publish it, and let it"
        " go live."
    )
    list_display = ["name", "state", "channels", "words", "version", "position"]
    ordering = ["position", "id"]
    actions_detail = ["funnel_page", "go_live_flow", "stop_flow"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RegistrationFlow]:
        accounts = ChannelAccount.across_organizations.filter(organization=OuterRef("organization"))
        place = Func(OuterRef("accounts"), F("pk"), function="array_position", output_field=IntegerField())
        names = accounts.annotate(place=place).filter(place__isnull=False).order_by("place").values("name")
        found = super().get_queryset(request).select_related("published", "organization")
        return found.annotate(account_names=ArraySubquery(names))

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """What is live goes live no more, and what is not is not stopped."""
        flow = self.get_object(request, str(object_id))
        idle = "go-live" if flow is not None and flow.is_live else "stop"
        return [each for each in super().get_actions_detail(request, object_id) if each.path != idle]

    def get_form(
        self, request: HttpRequest, obj: RegistrationFlow | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        principal = acting_principal(request)
        form.acting_organization = principal and principal.organization
        return form

    def get_inlines(self, request: HttpRequest, obj: RegistrationFlow | None) -> list[Any]:
        return [QuestionInline] if self.has_change_permission(request, obj) else []

    def get_formset_kwargs(
        self, request: HttpRequest, obj: RegistrationFlow, inline: Any, prefix: str
    ) -> dict[str, Any]:
        given: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        return given if request.method == "POST" else {**given, "initial": in_rows(_published(obj))}

    def get_fieldsets(self, request: HttpRequest, obj: RegistrationFlow | None = None) -> Any:
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": _SHOWN})]
        asks_for = [] if "organization" in self.get_exclude(request, obj) else ["organization"]
        return [
            (None, {"fields": [*asks_for, "name", "standing", "version"]}),
            (
                gettext_lazy("Who starts it"),
                {"fields": ["accounts", "keywords", "starts_by_intent", "position"]},
            ),
            (
                gettext_lazy("What people agree to"),
                {
                    "fields": text_fields([CONSENT]),
                    "description": gettext_lazy(
                        "What is kept, what for, and how to have it erased. The conversation speaks the languages "
                        "in which you say it."
                    ),
                },
            ),
            (
                gettext_lazy("Other words"),
                {
                    "fields": text_fields(_OTHER_TEXTS),
                    "classes": ["collapse"],
                    "description": gettext_lazy("Where you leave one empty, the usual words are said."),
                },
            ),
            (gettext_lazy("When nobody answers"), {"fields": [("remind_after", "close_after")]}),
            (gettext_lazy("How long it is kept"), {"fields": [("redact_after", "keep_days")]}),
            (gettext_lazy("Who is told"), {"fields": ["told_by", "told_at"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: RegistrationFlow | None = None) -> list[str]:
        return ["standing", "version"] if self.has_change_permission(request, obj) else _SHOWN

    def save_for(self, principal: Principal, obj: RegistrationFlow, form: Any, *, change: bool) -> None:
        """Together with its questions; see below."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        flow: RegistrationFlow = form.instance
        principal = principal_for(request, flow.organization)
        published = _published(flow)
        if change:
            flows.change(principal, flow, **form.values)
        else:
            flow.pk = flows.add(principal, **form.values).pk
        document = flow_document.document_of(published, form.texts, formset.questions)
        if published is None or definition.read(published) != definition.read(document):
            version = flows.publish(principal, flow, document)
            told = _("Its questions and texts are published as version %(number)d.")
            messages.info(request, told % {"number": version.number})
        # What Django's own history would have told.
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def delete_for(self, principal: Principal, obj: RegistrationFlow) -> None:
        flows.remove(principal, obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """flows.remove says what stands in the way; the versions, which nobody else has, go along."""
        return [str(flow) for flow in objs], {}, set(), []

    @action(description=gettext_lazy("Funnel"), permissions=["view"], url_path="funnel")
    def funnel_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        flow = self.get_one(request, object_id)
        context = self.admin_site.each_context(request) | funnel_page.page_of(flow, request.GET.get("days"))
        context |= {"title": f"{_('Funnel')}: {flow}", "back": self.address_of(flow)}
        return TemplateResponse(request, "registration/admin/funnel.html", context)

    @action(description=gettext_lazy("Go live"), permissions=["write"], url_path="go-live")
    def go_live_flow(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        flow = self.get_one(request, object_id)
        explanation = (
            _("Who writes over one of its channels and wants to register is asked for their data from now on.")
            if flow.accounts
            else _("It has no channel: from now on applications can start it, but nobody who writes does.")
        )
        return self._guarded(
            self.after_asking, request, flow, flows.go_live,
            verb=_("Go live"), explanation=explanation, done=_("The flow is live."), variant="primary",
        )  # fmt: skip

    @action(description=gettext_lazy("Stop"), permissions=["write"], url_path="stop")
    def stop_flow(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._guarded(
            self.after_asking,
            request,
            self.get_one(request, object_id),
            flows.stop,
            verb=_("Stop"),
            explanation=_("Nobody begins any more. Who is in the middle of it goes on to the end."),
            done=_("The flow is stopped."),
        )

    @display(description=gettext_lazy("state"), label={"live": "success", "off": "warning"})
    def state(self, flow: RegistrationFlow) -> tuple[str, str]:
        return ("live", _("live")) if flow.is_live else ("off", _("not live"))

    @admin.display(description=gettext_lazy("state"))
    def standing(self, flow: RegistrationFlow) -> str:
        return str(self.state(flow)[1])

    @admin.display(description=gettext_lazy("version"))
    def version(self, flow: RegistrationFlow) -> str:
        return str(flow.published.number) if flow.published else "–"

    @admin.display(description=gettext_lazy("channels"))
    def channels(self, flow: RegistrationFlow) -> str:
        return ", ".join(getattr(flow, "account_names", ())) or "–"

    @admin.display(description=gettext_lazy("keywords"))
    def words(self, flow: RegistrationFlow) -> str:
        return ", ".join(flow.keywords) or "–"

    @admin.display(description=gettext_lazy("what people are asked for"))
    def questions_in_words(self, flow: RegistrationFlow) -> SafeString | str:
        if flow.published is None:
            return "–"
        published = definition.read(flow.published.definition)
        language = published.language_for(get_language() or "")
        rows = [
            (published.label(question, language), published.ask(question, language))
            for question in published.questions
        ]
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{}: {}</li>", rows))


def _published(flow: RegistrationFlow | None) -> flow_document.Document | None:
    return flow.published.definition if flow and flow.published else None
