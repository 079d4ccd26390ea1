"""The operators' side: one file a kind of thing."""

from apps.messaging.admin import (
    backlog,
    clearing,
    consent,
    contact,
    conversation,
    dead_letter,
    label,
    message,
    route,
    template,
    trial,
)

__all__ = [
    "backlog",
    "clearing",
    "consent",
    "contact",
    "conversation",
    "dead_letter",
    "label",
    "message",
    "route",
    "template",
    "trial",
]
