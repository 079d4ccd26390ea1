"""The addresses of this app under /v1/."""

from django.urls import path

from apps.messaging.api.batches import MessageBatchView
from apps.messaging.api.clearings import (
    CancelClearingView,
    CausesView,
    ClearingsView,
    CountView,
    OneClearingView,
    PauseClearingView,
    ResumeClearingView,
)
from apps.messaging.api.consent import ConsentsView, OneSuppressionView, SuppressionsView
from apps.messaging.api.contacts import (
    ContactAddressesView,
    ContactsView,
    EraseContactView,
    MergeContactView,
    OneContactAddressView,
    OneContactView,
)
from apps.messaging.api.conversations import (
    ConversationMessagesView,
    ConversationsView,
    OneConversationView,
    RecentConversationsView,
)
from apps.messaging.api.dead_letters import (
    DeadLettersView,
    DiscardDeadLettersView,
    DiscardDeadLetterView,
    OneDeadLetterView,
    ReplayDeadLettersView,
    ReplayDeadLetterView,
)
from apps.messaging.api.hooks import hook
from apps.messaging.api.inbox import (
    AssignConversationView,
    CloseConversationView,
    ConversationLabelsView,
    ManyConversationsView,
    ReadConversationView,
    ReopenConversationView,
)
from apps.messaging.api.labels import LabelsView, OneLabelView
from apps.messaging.api.messages import CancelMessageView, MessageEventsView, MessagesView, OneMessageView
from apps.messaging.api.notes import ConversationNotesView, OneNoteView
from apps.messaging.api.routes import OneRouteView, RoutesView
from apps.messaging.api.template_versions import (
    OneVersionView,
    PreviewVersionView,
    PublishVersionView,
    VersionsView,
)
from apps.messaging.api.templates import OneTemplateView, TemplatesView

urlpatterns = [
    path("messages", MessagesView.as_view()),
    path("messages/batch", MessageBatchView.as_view()),
    path("messages/<uuid:message_id>", OneMessageView.as_view()),
    path("messages/<uuid:message_id>/events", MessageEventsView.as_view()),
    path("messages/<uuid:message_id>/cancel", CancelMessageView.as_view()),
    path("contacts", ContactsView.as_view()),
    path("contacts/<uuid:contact_id>", OneContactView.as_view()),
    path("contacts/<uuid:contact_id>/addresses", ContactAddressesView.as_view()),
    path("contacts/<uuid:contact_id>/merge", MergeContactView.as_view()),
    path("contacts/<uuid:contact_id>/erase", EraseContactView.as_view()),
    path("contact-addresses/<uuid:address_id>", OneContactAddressView.as_view()),
    path("contacts/<uuid:contact_id>/consents", ConsentsView.as_view()),
    path("suppressions", SuppressionsView.as_view()),
    path("suppressions/<uuid:suppression_id>", OneSuppressionView.as_view()),
    path("conversations", ConversationsView.as_view()),
    path("conversations/recent", RecentConversationsView.as_view()),
    path("conversations/bulk", ManyConversationsView.as_view()),
    path("conversations/<uuid:conversation_id>", OneConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/messages", ConversationMessagesView.as_view()),
    path("conversations/<uuid:conversation_id>/close", CloseConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/reopen", ReopenConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/assign", AssignConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/read", ReadConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/labels", ConversationLabelsView.as_view()),
    path("conversations/<uuid:conversation_id>/notes", ConversationNotesView.as_view()),
    path("notes/<uuid:note_id>", OneNoteView.as_view()),
    path("labels", LabelsView.as_view()),
    path("labels/<uuid:label_id>", OneLabelView.as_view()),
    path("dead-letters", DeadLettersView.as_view()),
    path("dead-letters/replay", ReplayDeadLettersView.as_view()),
    path("dead-letters/discard", DiscardDeadLettersView.as_view()),
    path("dead-letters/causes", CausesView.as_view()),
    path("dead-letters/count", CountView.as_view()),
    path("dead-letters/clearings", ClearingsView.as_view()),
    path("dead-letters/clearings/<uuid:clearing_id>", OneClearingView.as_view()),
    path("dead-letters/clearings/<uuid:clearing_id>/pause", PauseClearingView.as_view()),
    path("dead-letters/clearings/<uuid:clearing_id>/resume", ResumeClearingView.as_view()),
    path("dead-letters/clearings/<uuid:clearing_id>/cancel", CancelClearingView.as_view()),
    path("dead-letters/<uuid:letter_id>", OneDeadLetterView.as_view()),
    path("dead-letters/<uuid:letter_id>/replay", ReplayDeadLetterView.as_view()),
    path("dead-letters/<uuid:letter_id>/discard", DiscardDeadLetterView.as_view()),
    path("routes", RoutesView.as_view()),
    path("routes/<uuid:route_id>", OneRouteView.as_view()),
    path("templates", TemplatesView.as_view()),
    path("templates/<uuid:template_id>", OneTemplateView.as_view()),
    path("templates/<uuid:template_id>/versions", VersionsView.as_view()),
    path("templates/<uuid:template_id>/versions/<int:number>", OneVersionView.as_view()),
    path("templates/<uuid:template_id>/versions/<int:number>/publish", PublishVersionView.as_view()),
    path("templates/<uuid:template_id>/versions/<int:number>/preview", PreviewVersionView.as_view()),
    path("hooks/<slug:connector>", hook),
    path("hooks/<slug:connector>/<uuid:account_id>", hook),
]
