"""Clearings of dead letters: how far each is, and what came of it."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from apps.accounts.acting import principal_for
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.messaging.admin.words import kind_of_error
from apps.messaging.dead_letters import clearings
from apps.messaging.models import Clearing, ClearingState
from apps.messaging.models.clearing import UNFINISHED
from apps.messaging.search import as_id

type Turn = Callable[[Principal, Clearing], Clearing]

_OFFERED: dict[str, set[str]] = {
    ClearingState.RUNNING: {"pause", "cancel"},
    ClearingState.PAUSED: {"resume", "cancel"},
}


@admin.register(Clearing)
class ClearingAdmin(LongTableAdmin[Clearing]):
    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    list_display = ["created_at", "what", "standing", "how_far", "started_by"]
    list_filter: ClassVar[list[Any]] = []
    empty_hint = gettext_lazy("Nobody has had many dead letters tried again or discarded. Their list offers it.")
    search_help_text = gettext_lazy("An id, whole.")
    change_form_before_template = "messaging/admin/clearing_page.html"
    actions_detail = ["pause_clearing", "resume_clearing", "cancel_clearing"]
    fields = [
        "action", "account", "kind", "error_code", "failed_again", "created_before", "reason", "per_second",
        "started_by", "created_at", "ended_at", "id",
    ]  # fmt: skip
    readonly_fields = ["kind", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Clearing]:
        return super().get_queryset(request).select_related("account")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        found = as_id(text)
        return [found] if found else []

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress)
        return [
            path("<uuid:clearing_id>/progress/", progress, name="messaging_clearing_progress"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        clearing = self.get_object(request, object_id)
        progress = progress_of(request, clearing) if clearing is not None else ""
        answer: HttpResponseBase = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "progress": progress}
        )
        return answer

    def progress(self, request: HttpRequest, clearing_id: UUID) -> HttpResponse:
        """By itself, which the page asks for while it is under way."""
        return HttpResponse(progress_of(request, self.get_one(request, str(clearing_id))))

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """What can be done with it now."""
        clearing = self.get_object(request, str(object_id))
        offered = _OFFERED.get(clearing.state, set()) if clearing else set()
        return [each for each in super().get_actions_detail(request, object_id) if each.path in offered]

    @action(description=gettext_lazy("Pause"), permissions=["write"], url_path="pause")
    def pause_clearing(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        explanation = _("Those that had their turn are tried on. The others wait until you resume it.")
        return self._turn(request, object_id, clearings.pause, verb=_("Pause"), explanation=explanation)

    @action(description=gettext_lazy("Resume"), permissions=["write"], url_path="resume")
    def resume_clearing(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        explanation = _("It goes on where it was.")
        return self._turn(
            request, object_id, clearings.resume, verb=_("Resume"), explanation=explanation, variant="primary"
        )

    @action(description=gettext_lazy("Cancel it"), permissions=["write"], url_path="cancel")
    def cancel_clearing(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        explanation = _("What was done stays done. The other dead letters stay as they are.")
        return self._turn(request, object_id, clearings.cancel, verb=_("Cancel it"), explanation=explanation)

    def _turn(
        self,
        request: HttpRequest,
        object_id: str,
        turn: Turn,
        *,
        verb: str,
        explanation: str,
        variant: str = "danger",
    ) -> HttpResponseBase:
        clearing = self.get_one(request, object_id)
        if request.method != "POST":
            return self.confirm(request, clearing, verb, explanation, variant=variant)
        return self._guarded(self._carry_out, request, clearing, turn)

    def _carry_out(self, request: HttpRequest, clearing: Clearing, turn: Turn) -> HttpResponseBase:
        turned = turn(principal_for(request, clearing.organization), clearing)
        messages.success(request, _("It is %(state)s.") % {"state": turned.get_state_display()})
        return redirect(self.address_of(clearing))

    @admin.display(description=gettext_lazy("what"))
    def what(self, clearing: Clearing) -> str:
        return in_words(clearing)

    @display(
        description=gettext_lazy("state"),
        label={"running": "info", "paused": "warning", "finished": "success"},
    )
    def standing(self, clearing: Clearing) -> tuple[str, str]:
        return clearing.state, clearing.get_state_display()

    @admin.display(description=gettext_lazy("how far"))
    def how_far(self, clearing: Clearing) -> SafeString:
        return format_html("{} / {}", clearing.done, clearing.matched)

    @admin.display(description=gettext_lazy("kind of error"))
    def kind(self, clearing: Clearing) -> str:
        return kind_of_error(clearing.error_class) if clearing.error_class else "–"


def in_words(clearing: Clearing) -> str:
    words = [str(clearing.get_action_display())]
    if clearing.account is not None:
        words.append(clearing.account.name)
    if clearing.error_class:
        words.append(kind_of_error(clearing.error_class))
    if clearing.error_code:
        words.append(clearing.error_code)
    return " · ".join(words)


def progress_of(request: HttpRequest, clearing: Clearing) -> str:
    results = clearings.results(clearing)
    is_over = clearing.state not in UNFINISHED
    context = {
        "clearing": clearing,
        "words": in_words(clearing),
        "results": results,
        # Those under way still change after all had their turn.
        "is_settled": is_over and not results.under_way,
        "is_over": is_over,
        # Somebody else dealt with them meanwhile.
        "others": max(0, clearing.matched - clearing.done) if clearing.state == ClearingState.FINISHED else 0,
        "seconds_left": round((clearing.matched - clearing.done) / clearing.per_second),
    }
    return render_to_string("messaging/admin/clearing_progress.html", context, request)
