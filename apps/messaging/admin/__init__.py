"""The operators' side: one file a kind of thing."""

from apps.messaging.admin import backlog, contact, conversation, dead_letter, message

__all__ = ["backlog", "contact", "conversation", "dead_letter", "message"]
