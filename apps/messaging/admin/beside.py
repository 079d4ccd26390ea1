"""What other apps have to say of a conversation: a section each, beside what was written."""

from collections.abc import Callable

from django.http import HttpRequest

from apps.messaging.models import Conversation

# Its words as HTML; none where there is nothing to say to this reader.
type Section = Callable[[HttpRequest, Conversation], str]

_sections: list[Section] = []


def register(section: Section) -> None:
    _sections.append(section)


def sections_of(request: HttpRequest, conversation: Conversation) -> list[str]:
    return [words for section in _sections if (words := section(request, conversation))]
