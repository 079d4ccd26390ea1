"""Dead letters: by cause, then one by one; tried again or discarded, one, some, or all that are alike."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display

from apps.accounts.acting import organizations_of, principal_for
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.roles import Scope
from apps.messaging.admin.account_filters import AccountFilter
from apps.messaging.admin.clear_page import asked_for, clear_page
from apps.messaging.admin.dead_letter_filters import CauseFilter, DeadLetterCodeFilter, DeadLetterStateFilter
from apps.messaging.admin.forms import DiscardForm
from apps.messaging.admin.story import story_of
from apps.messaging.admin.words import error_in_words, kind_of_error
from apps.messaging.dead_letters import by_hand
from apps.messaging.dead_letters.causes import MOST_CAUSES, MOST_LOOKED_AT, causes
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.models import Clearing, DeadLetter, DeadLetterState
from apps.messaging.models.clearing import UNFINISHED
from apps.messaging.search import as_id, messages_named
from apps.messaging.timeline import events_of

_MOST_CLEARINGS = 5
# Their ids fit into an address.
_MOST_BY_HAND = 100


@admin.register(DeadLetter)
class DeadLetterAdmin(LongTableAdmin[DeadLetter]):
    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    list_display = ["created_at", "recipient", "account", "standing", "error", "attempts"]
    list_filter = [DeadLetterStateFilter, CauseFilter, DeadLetterCodeFilter, AccountFilter]
    empty_hint = gettext_lazy("No message failed for good. Those that do are told here, by cause.")
    search_help_text = gettext_lazy("An id, a reference, the provider's id or a recipient, whole.")
    list_before_template = "messaging/admin/causes.html"
    change_form_before_template = "messaging/admin/story.html"
    actions = ["replay_selected", "discard_selected"]
    actions_detail = ["replay_letter", "discard_letter"]
    fields = [
        "id", "state_in_words", "error", "recipient", "account", "attempts", "replays", "discard_reason",
        "created_at", "changed_at",
    ]  # fmt: skip
    readonly_fields = ["id", "state_in_words", "error", "recipient"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        return super().get_queryset(request).select_related("account", "message__conversation")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        """A dead letter has its message's id."""
        return messages_named(organizations, text)

    def get_urls(self) -> list[URLPattern]:
        discard, clear = (self.admin_site.admin_view(view) for view in (self.discard_many, self.clear))
        return [
            path("discard-many/", discard, name="messaging_deadletter_discard_many"),
            path("clear/", clear, name="messaging_deadletter_clear"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        organizations = organizations_of(request)
        found = causes(organizations)
        under_way = Clearing.across_organizations.filter(organization__in=organizations, state__in=UNFINISHED)
        context = {
            "causes": [(cause, kind_of_error(cause.error_class)) for cause in found.causes],
            "knows_all_causes": found.is_whole,
            "most_causes": MOST_CAUSES,
            "most_looked_at_for_causes": MOST_LOOKED_AT,
            "clearings": list(under_way.select_related("account").order_by("-pk")[:_MOST_CLEARINGS]),
            "may_clear": self.has_write_permission(request),
            "filtered_by": asked_for(request),
        }
        answer: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **context})
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        letter = self.get_object(request, object_id)
        story = story_of(request, letter.message, events_of(letter.message)) if letter is not None else None
        answer: HttpResponseBase = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "story": story}
        )
        return answer

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """Only what is open can be tried again or discarded."""
        letter = self.get_object(request, str(object_id))
        if letter is None or letter.state != DeadLetterState.OPEN:
            return []
        return list(super().get_actions_detail(request, object_id))

    def clear(self, request: HttpRequest) -> HttpResponseBase:
        """All that are alike, on a page of its own."""
        if not self.has_write_permission(request):
            raise PermissionDenied
        return self._guarded(clear_page, request, self.admin_site.each_context(request))

    @action(description=gettext_lazy("Try again"), permissions=["write"], url_path="replay")
    def replay_letter(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        letter = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._replay, request, letter)
        explanation = _("The same message is tried again, at the end of its conversation's queue.")
        return self.confirm(request, letter, _("Try again"), explanation, variant="primary")

    def _replay(self, request: HttpRequest, letter: DeadLetter) -> HttpResponseBase:
        by_hand.replay(principal_for(request, letter.organization), letter)
        messages.success(request, _("The message is tried again."))
        return redirect(self.address_of(letter))

    @action(description=gettext_lazy("Discard"), permissions=["write"], url_path="discard")
    def discard_letter(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        letter = self.get_one(request, object_id)
        form = DiscardForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._guarded(self._discard, request, letter, form.cleaned_data["reason"])
        explanation = _("Nobody needs to look at it any more. It cannot be tried again.")
        return self.confirm(request, letter, _("Discard"), explanation, form=form)

    def _discard(self, request: HttpRequest, letter: DeadLetter, reason: str) -> HttpResponseBase:
        by_hand.discard(principal_for(request, letter.organization), letter, reason)
        messages.success(request, _("The dead letter is discarded."))
        return redirect(self.address_of(letter))

    @action(description=gettext_lazy("Try again"), permissions=["write"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        if self._are_too_many(request, queryset):
            return
        replayed = sum(
            by_hand.replay_many(principal_for(request, group[0].organization), _these(group)).replayed
            for group in self._by_organization(queryset)
        )
        done = ngettext("%(count)d is tried again.", "%(count)d are tried again.", replayed)
        messages.success(request, done % {"count": replayed})

    @action(description=gettext_lazy("Discard"), permissions=["write"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponseBase | None:
        """A reason is asked for on a page of its own."""
        if self._are_too_many(request, queryset):
            return None
        ids = ",".join(str(letter.pk) for letters in self._by_organization(queryset) for letter in letters)
        return redirect(f"{reverse('admin:messaging_deadletter_discard_many')}?{urlencode({'ids': ids})}")

    def discard_many(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_write_permission(request):
            raise PermissionDenied
        ids = [pk for text in request.GET.get("ids", "").split(",") if (pk := as_id(text))]
        letters = self.get_queryset(request).filter(pk__in=ids[:_MOST_BY_HAND])
        form = DiscardForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            discarded = sum(
                by_hand.discard_many(
                    principal_for(request, group[0].organization),
                    [letter.pk for letter in group],
                    form.cleaned_data["reason"],
                )
                for group in self._by_organization(letters)
            )
            done = ngettext("%(count)d is discarded.", "%(count)d are discarded.", discarded)
            messages.success(request, done % {"count": discarded})
            return redirect("admin:messaging_deadletter_changelist")
        count = letters.count()
        found = ngettext("%(count)d dead letter", "%(count)d dead letters", count) % {"count": count}
        explanation = _("Nobody needs to look at them any more. They cannot be tried again.")
        context = {
            **self.admin_site.each_context(request),
            "title": f"{_('Discard')}: {found}",
            "verb": _("Discard"),
            "explanation": f"{found}. {explanation}",
            "form": form,
            "back": reverse("admin:messaging_deadletter_changelist"),
        }
        return TemplateResponse(request, "accounts/admin/confirm.html", context)

    def _are_too_many(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> bool:
        """What was chosen over many pages goes by itself, at a rate, and can be paused."""
        if len(queryset.values_list("pk")[: _MOST_BY_HAND + 1]) <= _MOST_BY_HAND:
            return False
        words = _("At most %(count)d can be chosen by hand. For more, try again or discard by criterion, above.")
        messages.error(request, words % {"count": _MOST_BY_HAND})
        return True

    def _by_organization(self, queryset: QuerySet[DeadLetter]) -> list[list[DeadLetter]]:
        """A superuser may have chosen from several; a member's are all of one."""
        groups: dict[UUID, list[DeadLetter]] = defaultdict(list)
        for letter in queryset.select_related("organization")[:_MOST_BY_HAND]:
            groups[letter.organization_id].append(letter)
        return list(groups.values())

    @admin.display(description=gettext_lazy("recipient"))
    def recipient(self, letter: DeadLetter) -> str:
        return letter.message.conversation.address

    @display(
        description=gettext_lazy("state"),
        label={"open": "danger", "again": "danger", "replaying": "info", "resolved": "success"},
    )
    def standing(self, letter: DeadLetter) -> tuple[str, str]:
        """One that was tried again and failed again is another matter than one that nobody has touched."""
        if letter.state == DeadLetterState.OPEN and letter.replays:
            failed = ngettext("failed again, %(count)d time", "failed again, %(count)d times", letter.replays)
            return "again", failed % {"count": letter.replays}
        return letter.state, letter.get_state_display()

    @admin.display(description=gettext_lazy("state"))
    def state_in_words(self, letter: DeadLetter) -> str:
        return str(self.standing(letter)[1])

    @admin.display(description=gettext_lazy("error"))
    def error(self, letter: DeadLetter) -> str:
        return error_in_words(letter.error_class, letter.error_code, letter.error_detail)


def _these(letters: Sequence[DeadLetter]) -> Selection:
    return Selection(ids=[letter.pk for letter in letters])
