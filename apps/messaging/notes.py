"""Notes: what members tell each other about a conversation."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.accounts.roles import Role, outranks
from apps.core.api.problems import Problem
from apps.messaging.inbox import membership_of
from apps.messaging.models import Conversation, ConversationNote

LONGEST_NOTE = 4000


class NotTheAuthor(Problem):
    status_code = 403
    default_code = "not_the_author"
    default_detail = _("Only who wrote a note, or an administrator, can delete it.")


@transaction.atomic
def write(principal: Principal, conversation: Conversation, text: str) -> ConversationNote:
    """What an API key writes has no author."""
    note = ConversationNote.across_organizations.create(
        organization=principal.organization,
        conversation=conversation,
        author=membership_of(principal),
        text=text,
    )
    audit.record(
        principal.actor,
        "conversation.note_written",
        conversation,
        organization=principal.organization,
        changes={"note_id": (None, note.pk)},
    )
    return note


@transaction.atomic
def erase(principal: Principal, note: ConversationNote) -> None:
    if not may_erase(principal, note):
        raise NotTheAuthor
    audit.record(
        principal.actor,
        "conversation.note_deleted",
        note.conversation,
        organization=principal.organization,
        changes={"note_id": (note.pk, None)},
    )
    note.delete()


def may_erase(principal: Principal, note: ConversationNote) -> bool:
    """An API key has no role of its own: it may what administrators may."""
    is_own = note.author is not None and note.author.user_id == principal.actor.id
    return is_own or not outranks(Role.ADMIN, principal.role or Role.ADMIN)
