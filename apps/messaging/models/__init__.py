"""What is sent, to whom, and what became of it."""

from apps.messaging.models.clearing import Clearing, ClearingAction, ClearingState
from apps.messaging.models.consent import ConsentEvent, ConsentSource, Suppression
from apps.messaging.models.contact import Contact, ContactAddress, MergedContact
from apps.messaging.models.conversation import Conversation
from apps.messaging.models.dead_letter import DeadLetter, DeadLetterState
from apps.messaging.models.delivery import Delivery, DeliveryState
from apps.messaging.models.fallback import MessageFallback
from apps.messaging.models.inbox import ConversationLabel, ConversationNote, Label
from apps.messaging.models.media_fetch import FetchState, MediaFetch
from apps.messaging.models.message import Message
from apps.messaging.models.message_event import EventCursor, MessageEvent
from apps.messaging.models.provider_callback import ParkedReceipt, ProviderCallback, SeenCallback
from apps.messaging.models.route import Route
from apps.messaging.models.template import Template, TemplateText, TemplateVersion

__all__ = [
    "Clearing",
    "ClearingAction",
    "ClearingState",
    "ConsentEvent",
    "ConsentSource",
    "Contact",
    "ContactAddress",
    "Conversation",
    "ConversationLabel",
    "ConversationNote",
    "DeadLetter",
    "DeadLetterState",
    "Delivery",
    "DeliveryState",
    "EventCursor",
    "FetchState",
    "Label",
    "MediaFetch",
    "MergedContact",
    "Message",
    "MessageEvent",
    "MessageFallback",
    "ParkedReceipt",
    "ProviderCallback",
    "Route",
    "SeenCallback",
    "Suppression",
    "Template",
    "TemplateText",
    "TemplateVersion",
]
