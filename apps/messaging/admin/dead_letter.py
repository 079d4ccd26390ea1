from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action

from apps.accounts.acting import acting_principal, principal_for
from apps.messaging import dead_letters
from apps.messaging.admin.base import AccountFilter, LongTableAdmin, organizations_of
from apps.messaging.admin.forms import DiscardForm, ReplayQueryForm
from apps.messaging.admin.words import error_in_words, story
from apps.messaging.dead_letters import MOST_AT_ONCE, Selection
from apps.messaging.models import DeadLetter, MessageEvent
from apps.messaging.search import as_id, messages_named


@admin.register(DeadLetter)
class DeadLetterAdmin(LongTableAdmin[DeadLetter]):
    """What failed for good: tried again or discarded, one, some, or all that match."""

    list_display = ["created_at", "recipient", "account", "state", "error", "attempts", "replays"]
    list_filter = ["state", AccountFilter]
    search_help_text = gettext_lazy("An id, a reference, the provider's id or a recipient, whole.")
    actions = ["replay_selected", "discard_selected"]
    actions_list = ["replay_many"]
    actions_detail = ["replay_letter", "discard_letter"]
    fields = [
        "id", "state", "error", "recipient", "account", "attempts", "replays", "discard_reason", "created_at",
        "changed_at", "what_happened",
    ]  # fmt: skip
    readonly_fields = ["id", "error", "recipient", "what_happened"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        return super().get_queryset(request).select_related("account", "message__conversation")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        """A dead letter has its message's id."""
        return messages_named(organizations, text)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.discard_many)
        return [path("discard-many/", page, name="messaging_deadletter_discard_many"), *super().get_urls()]

    @action(description=gettext_lazy("Try again"), permissions=["write"], url_path="replay")
    def replay_letter(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        letter = self.get_one(request, object_id)
        if request.method == "POST":
            return self._guarded(self._replay, request, letter)
        explanation = _("The same message is tried again, at the end of its conversation's queue.")
        return self.confirm(request, letter, _("Try again"), explanation, variant="primary")

    def _replay(self, request: HttpRequest, letter: DeadLetter) -> HttpResponseBase:
        dead_letters.replay(principal_for(request, letter.organization), letter)
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
        dead_letters.discard(principal_for(request, letter.organization), letter, reason)
        messages.success(request, _("The dead letter is discarded."))
        return redirect(self.address_of(letter))

    @action(description=gettext_lazy("Try again"), permissions=["write"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        replayed = sum(
            dead_letters.replay_many(principal_for(request, letters[0].organization), _selection(letters)).replayed
            for letters in self._by_organization(queryset)
        )
        self._say_replayed(request, replayed)

    @action(description=gettext_lazy("Discard"), permissions=["write"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponseBase:
        """A reason is asked for on a page of its own."""
        ids = ",".join(str(letter.pk) for letters in self._by_organization(queryset) for letter in letters)
        return redirect(f"{reverse('admin:messaging_deadletter_discard_many')}?{urlencode({'ids': ids})}")

    def discard_many(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_write_permission(request):
            raise PermissionDenied
        ids = [found for text in request.GET.get("ids", "").split(",") if (found := as_id(text))]
        letters = self.get_queryset(request).filter(pk__in=ids[:MOST_AT_ONCE])
        form = DiscardForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            discarded = sum(
                dead_letters.discard_many(
                    principal_for(request, group[0].organization),
                    [letter.pk for letter in group],
                    form.cleaned_data["reason"],
                )
                for group in self._by_organization(letters)
            )
            done = ngettext("%(count)d is discarded.", "%(count)d are discarded.", discarded)
            messages.success(request, done % {"count": discarded})
            return redirect("admin:messaging_deadletter_changelist")
        explanation = _("Nobody needs to look at them any more. They cannot be tried again.")
        return self._page(request, _("Discard"), explanation, form=form, count=letters.count(), variant="danger")

    @action(description=gettext_lazy("Try many again"), permissions=["write"], url_path="replay-many")
    def replay_many(self, request: HttpRequest) -> HttpResponseBase:
        """First which ones, then how many they are, then only on a click what that says."""
        accounts = ReplayQueryForm.accounts_of(organizations_of(request))
        member = acting_principal(request)
        form = ReplayQueryForm(request.GET or None, accounts=accounts, is_account_needed=member is None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": _("Try many again"),
                "form": form,
                "back": reverse("admin:messaging_deadletter_changelist"),
            }
            return TemplateResponse(request, "messaging/admin/replay_query.html", context)
        account = form.cleaned_data["account"]
        if member is None and account is None:
            raise Http404
        principal = member or principal_for(request, account.organization)
        if request.method == "POST":
            done = dead_letters.replay_many(principal, form.selection)
            self._say_replayed(request, done.replayed)
            return redirect("admin:messaging_deadletter_changelist")
        matched = dead_letters.replay_many(principal, form.selection, dry_run=True).matched
        explanation = _(
            "The oldest %(most)d of them are tried again, behind new messages. Come back for those that remain."
        ) % {"most": MOST_AT_ONCE}
        return self._page(request, _("Try again"), explanation, count=matched, variant="primary")

    def _page(
        self, request: HttpRequest, verb: str, explanation: str, *, count: int, variant: str, form: Any = None
    ) -> HttpResponseBase:
        found = ngettext("%(count)d dead letter", "%(count)d dead letters", count) % {"count": count}
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb}: {found}",
            "verb": verb,
            "explanation": f"{found}. {explanation}",
            "variant": variant,
            "form": form,
            "back": reverse("admin:messaging_deadletter_changelist"),
        }
        return TemplateResponse(request, "accounts/admin/confirm.html", context)

    def _say_replayed(self, request: HttpRequest, replayed: int) -> None:
        done = ngettext("%(count)d is tried again.", "%(count)d are tried again.", replayed)
        messages.success(request, done % {"count": replayed})

    def _by_organization(self, queryset: QuerySet[DeadLetter]) -> list[list[DeadLetter]]:
        """A superuser may have chosen from several; a member's are all of one."""
        groups: dict[UUID, list[DeadLetter]] = defaultdict(list)
        for letter in queryset.select_related("organization")[:MOST_AT_ONCE]:
            groups[letter.organization_id].append(letter)
        return list(groups.values())

    @admin.display(description=gettext_lazy("recipient"))
    def recipient(self, letter: DeadLetter) -> str:
        return letter.message.conversation.address

    @admin.display(description=gettext_lazy("error"))
    def error(self, letter: DeadLetter) -> str:
        return error_in_words(letter.error_class, letter.error_code, letter.error_detail)

    @admin.display(description=gettext_lazy("what happened"))
    def what_happened(self, letter: DeadLetter) -> SafeString:
        return story(MessageEvent.across_organizations.filter(message=letter.message_id))


def _selection(letters: Sequence[DeadLetter]) -> Selection:
    return Selection(ids=[letter.pk for letter in letters])
