"""What is sent, to whom, and what became of it."""

from apps.messaging.models.contact import Contact, ContactAddress
from apps.messaging.models.conversation import Conversation
from apps.messaging.models.dead_letter import DeadLetter, DeadLetterState
from apps.messaging.models.delivery import Delivery, DeliveryState
from apps.messaging.models.message import Message
from apps.messaging.models.message_event import EventCursor, MessageEvent
from apps.messaging.models.provider_callback import ParkedReceipt, ProviderCallback

__all__ = [
    "Contact",
    "ContactAddress",
    "Conversation",
    "DeadLetter",
    "DeadLetterState",
    "Delivery",
    "DeliveryState",
    "EventCursor",
    "Message",
    "MessageEvent",
    "ParkedReceipt",
    "ProviderCallback",
]
