from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from unfold.decorators import action, display

from apps.accounts.acting import principal_for
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels.registry import connector_class
from apps.messaging import conversations, inbox, notes
from apps.messaging.admin import beside
from apps.messaging.admin.account_filters import AccountFilter
from apps.messaging.admin.inbox_filters import AssigneeFilter, LabelFilter, StateFilter, UnreadFilter
from apps.messaging.admin.inbox_forms import AssignForm, LabelsForm, NoteForm, ReplyForm
from apps.messaging.admin.thread import LAST_MESSAGES, bubbles_of, notes_on
from apps.messaging.engine.new_message import Refused
from apps.messaging.models import Conversation, ConversationNote
from apps.messaging.search import conversations_named

type Act = Callable[[HttpRequest, Principal, Conversation], HttpResponseBase]


@admin.register(Conversation)
class ConversationAdmin(LongTableAdmin[Conversation]):
    """The inbox: what people wrote and were written, who takes care of it, and the answer."""

    read_scope = Scope.MESSAGES_READ
    write_scope = Scope.MESSAGES_WRITE
    list_display = ["who", "account", "state", "assignee", "hung_labels", "unread", "window", "last_inbound_at"]
    list_filter = [StateFilter, UnreadFilter, AssigneeFilter, LabelFilter, AccountFilter]
    empty_hint = gettext_lazy(
        "Nobody was written to, and nobody wrote. Give a channel's webhook address to its provider to hear people."
    )
    search_help_text = gettext_lazy("An id or an address, whole, or how the person's name begins.")
    actions_detail = ["close_conversation", "reopen_conversation"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return inbox.shown(super().get_queryset(request))

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        return conversations_named(organizations, text)

    def get_urls(self) -> list[URLPattern]:
        acts: dict[str, Act] = {
            "reply": self.reply, "read": self.mark_read, "assign": self.assign, "labels": self.set_labels,
            "note": self.write_note, "delete-note": self.delete_note,
        }  # fmt: skip
        return [
            *(
                path(f"<uuid:object_id>/{name}/", self._page_for(act), name=f"messaging_conversation_{name}")
                for name, act in acts.items()
            ),
            *super().get_urls(),
        ]

    def _page_for(self, act: Act) -> Callable[..., HttpResponseBase]:
        """Where a form of the conversation's page goes; whoever comes otherwise is led to that page."""

        def view(request: HttpRequest, object_id: UUID) -> HttpResponseBase:
            if not self.has_write_permission(request):
                raise PermissionDenied
            conversation = self.get_one(request, str(object_id))
            if request.method != "POST":
                return redirect(self.address_of(conversation))
            return self._guarded(act, request, principal_for(request, conversation.organization), conversation)

        page: Callable[..., HttpResponseBase] = self.admin_site.admin_view(view)
        return page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        try:
            conversation = self.get_one(request, object_id)
        except Http404:
            conversation = None
        if request.method != "GET" or conversation is None or not self.has_view_permission(request):
            # Django says how such a request is refused.
            return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        return self._page(request, principal_for(request, conversation.organization), conversation)

    def _page(
        self, request: HttpRequest, principal: Principal, conversation: Conversation, **forms: Any
    ) -> TemplateResponse:
        """`forms` are those that were filled in and not taken."""
        organization = conversation.organization
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": conversation.contact.name or conversation.address,
            "conversation": conversation,
            "channel": connector_class(conversation.account.connector).label,
            "window": inbox.window_of(conversation),
            "must_keep_window": conversation.account.keeps_reply_window,
            "bubbles": bubbles_of(conversation),
            "most": LAST_MESSAGES,
            "notes": notes_on(principal, conversation),
            "beside": beside.sections_of(request, conversation),
            "may_write": self.has_write_permission(request),
            "reply_form": ReplyForm(),
            "note_form": NoteForm(),
            "assign_form": AssignForm(organization, initial={"member": conversation.assignee_id}),
            "labels_form": LabelsForm(organization, initial={"labels": conversation.labels.all()}),
            **forms,
        }
        return TemplateResponse(request, "messaging/admin/conversation.html", context)

    def reply(self, request: HttpRequest, principal: Principal, conversation: Conversation) -> HttpResponseBase:
        form = ReplyForm(request.POST)
        if form.is_valid():
            answered = inbox.answer(principal, conversation, form.cleaned_data["text"])
            if not isinstance(answered, Refused):
                return redirect(self.address_of(conversation))
            form.add_error("text", answered.detail)
        return self._page(request, principal, conversation, reply_form=form)

    def mark_read(
        self, request: HttpRequest, principal: Principal, conversation: Conversation
    ) -> HttpResponseBase:
        inbox.mark_read(principal, conversation)
        return redirect(self.address_of(conversation))

    def assign(self, request: HttpRequest, principal: Principal, conversation: Conversation) -> HttpResponseBase:
        form = AssignForm(conversation.organization, request.POST)
        if not form.is_valid():
            return self._page(request, principal, conversation, assign_form=form)
        member = form.cleaned_data["member"]
        inbox.assign(principal, conversation, member and member.pk)
        return redirect(self.address_of(conversation))

    def set_labels(
        self, request: HttpRequest, principal: Principal, conversation: Conversation
    ) -> HttpResponseBase:
        form = LabelsForm(conversation.organization, request.POST)
        if not form.is_valid():
            return self._page(request, principal, conversation, labels_form=form)
        inbox.set_labels(principal, conversation, [label.pk for label in form.cleaned_data["labels"]])
        return redirect(self.address_of(conversation))

    def write_note(
        self, request: HttpRequest, principal: Principal, conversation: Conversation
    ) -> HttpResponseBase:
        form = NoteForm(request.POST)
        if not form.is_valid():
            return self._page(request, principal, conversation, note_form=form)
        notes.write(principal, conversation, form.cleaned_data["text"])
        return redirect(self.address_of(conversation))

    def delete_note(
        self, request: HttpRequest, principal: Principal, conversation: Conversation
    ) -> HttpResponseBase:
        written = ConversationNote.objects.for_organization(principal.organization).select_related("author")
        try:
            note = written.filter(conversation=conversation, pk=UUID(request.POST.get("note", ""))).first()
        except ValueError:
            note = None
        if note is not None:
            notes.erase(principal, note)
        return redirect(self.address_of(conversation))

    @action(description=pgettext_lazy("conversation", "Close"), permissions=["write"], url_path="close")
    def close_conversation(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.after_asking(
            request,
            self.get_one(request, object_id),
            conversations.close,
            verb=pgettext("conversation", "Close"),
            explanation=_("Nothing more is taken for it by its id. What waits in it is still sent."),
            done=_("The conversation is closed."),
        )

    @action(description=gettext_lazy("Open again"), permissions=["write"], url_path="reopen")
    def reopen_conversation(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.after_asking(
            request,
            self.get_one(request, object_id),
            conversations.reopen,
            verb=_("Open again"),
            explanation=_("Messages are taken for it again."),
            done=_("The conversation is open again."),
            variant="primary",
        )

    @display(description=gettext_lazy("contact"), header=True)
    def who(self, conversation: Conversation) -> tuple[str, str]:
        name = conversation.contact.name
        return (name, conversation.address) if name else (conversation.address, "")

    @display(description=gettext_lazy("state"), label={"open": "success", "closed": "info"})
    def state(self, conversation: Conversation) -> tuple[str, str]:
        return ("closed", _("closed")) if conversation.closed_at else ("open", _("open"))

    @admin.display(description=gettext_lazy("labels"))
    def hung_labels(self, conversation: Conversation) -> str:
        labels = ((label.color, label.name) for label in conversation.labels.all())
        return format_html_join(" ", '<span class="label-chip" style="--label: {}">{}</span>', labels) or "–"

    @admin.display(description=gettext_lazy("unread"))
    def unread(self, conversation: Conversation) -> str:
        if not conversation.unread_count:
            return "–"
        return format_html('<strong class="unread-count">{}</strong>', conversation.unread_count)

    @display(description=gettext_lazy("time to reply"), label={"open": "success", "over": "warning"})
    def window(self, conversation: Conversation) -> tuple[str, str] | None:
        window = inbox.window_of(conversation)
        if window is None:
            return None
        return ("open", _("runs")) if window.is_open else ("over", _("over"))

    class Media:
        css = {"all": ["messaging/conversation.css"]}
