"""The addresses of this app under /v1/."""

from django.urls import path

from apps.messaging.api.batches import MessageBatchView
from apps.messaging.api.contacts import ContactsView, OneContactView
from apps.messaging.api.conversations import (
    CloseConversationView,
    ConversationMessagesView,
    ConversationsView,
    OneConversationView,
    RecentConversationsView,
    ReopenConversationView,
)
from apps.messaging.api.dead_letters import (
    DeadLettersView,
    DiscardDeadLetterView,
    OneDeadLetterView,
    ReplayDeadLettersView,
    ReplayDeadLetterView,
)
from apps.messaging.api.hooks import hook
from apps.messaging.api.messages import CancelMessageView, MessageEventsView, MessagesView, OneMessageView

urlpatterns = [
    path("messages", MessagesView.as_view()),
    path("messages/batch", MessageBatchView.as_view()),
    path("messages/<uuid:message_id>", OneMessageView.as_view()),
    path("messages/<uuid:message_id>/events", MessageEventsView.as_view()),
    path("messages/<uuid:message_id>/cancel", CancelMessageView.as_view()),
    path("contacts", ContactsView.as_view()),
    path("contacts/<uuid:contact_id>", OneContactView.as_view()),
    path("conversations", ConversationsView.as_view()),
    path("conversations/recent", RecentConversationsView.as_view()),
    path("conversations/<uuid:conversation_id>", OneConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/messages", ConversationMessagesView.as_view()),
    path("conversations/<uuid:conversation_id>/close", CloseConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/reopen", ReopenConversationView.as_view()),
    path("dead-letters", DeadLettersView.as_view()),
    path("dead-letters/replay", ReplayDeadLettersView.as_view()),
    path("dead-letters/<uuid:letter_id>", OneDeadLetterView.as_view()),
    path("dead-letters/<uuid:letter_id>/replay", ReplayDeadLetterView.as_view()),
    path("dead-letters/<uuid:letter_id>/discard", DiscardDeadLetterView.as_view()),
    path("hooks/<slug:connector>", hook),
    path("hooks/<slug:connector>/<uuid:account_id>", hook),
]
