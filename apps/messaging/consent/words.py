"""Words by which a person leaves, or comes back: STOP, SAIR, PARAR and their like, written as a message.

In the transaction that takes the message in: a callback that comes again is not heeded again.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels.registry import connector_class
from apps.messaging.consent import suppressions
from apps.messaging.consent.choices import ALL, Choice, choose
from apps.messaging.consent.links import preferences_url
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage, Refused
from apps.messaging.models import ConsentSource, Contact
from apps.messaging.statuses import Category

if TYPE_CHECKING:
    from apps.messaging.engine.incoming import Received

logger = structlog.get_logger(__name__)

_ENGLISH, _PORTUGUESE = "en", "pt-br"
_LEAVING = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"), _ENGLISH),
    **dict.fromkeys(("SAIR", "PARAR", "PARE", "CANCELAR", "DESCADASTRAR", "REMOVER"), _PORTUGUESE),
}
_RETURNING = {
    **dict.fromkeys(("START", "UNSTOP"), _ENGLISH),
    **dict.fromkeys(("VOLTAR", "INICIAR"), _PORTUGUESE),
}
_LANGUAGE_OF = _LEAVING | _RETURNING
# The word with whatever a person puts around it: "Stop!", *SAIR*, /stop.
_LONGEST = 40
_ALONE = re.compile(r"[\W_]*([A-Z]+)[\W_]*")


def heed(organization: Organization, received: Sequence["Received"]) -> None:
    """Do as they say, and answer once."""
    said = [(each, word) for each in received if (word := word_in(each.content.text)) is not None]
    if not said:
        return
    people = Contact.across_organizations.in_bulk({each.contact_id for each, _word in said})
    answers = [
        NewMessage(
            _answer(organization, people[each.contact_id], word),
            conversation_id=each.conversation_id,
            category=Category.SERVICE,
        )
        for each, word in said
        if _obey(organization, each, word)
    ]
    for answer in accept(organization, answers) if answers else ():
        if isinstance(answer, Refused):
            logger.warning("stop_word_not_answered", reason=answer.code)


def word_in(text: str) -> str | None:
    """One of those words, where it is all that was written."""
    if len(text) > _LONGEST:
        return None
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    found = _ALONE.fullmatch("".join(letters).upper())
    return found[1] if found and found[1] in _LANGUAGE_OF else None


def _obey(organization: Organization, received: "Received", word: str) -> bool:
    """False where it was so before: nobody is told twice."""
    kind = connector_class(received.account.connector).capabilities.address
    detail = f"{word} {received.message_id}"
    if word in _LEAVING:
        return bool(suppressions.add(organization.id, kind, [received.sender], ConsentSource.WORD, detail=detail))
    returned = choose(received.contact_id, [Choice(ALL, is_given=True)], ConsentSource.WORD, detail)
    address = (kind.value, received.sender)
    lifted = suppressions.lift(organization.id, [address], ConsentSource.WORD, detail=detail)
    return bool(returned or lifted)


def _answer(organization: Organization, contact: Contact, word: str) -> str:
    said = {"organization": organization.name, "link": preferences_url(contact.pk)}
    with translation.override(_language(contact, word)):
        if word in _LEAVING:
            return (
                _(
                    "%(organization)s will not write to you here any more. To come back, answer START. "
                    "To choose what you get: %(link)s"
                )
                % said
            )
        return _("%(organization)s will write to you here again. To choose what you get: %(link)s") % said


def _language(contact: Contact, word: str) -> str:
    """The person's; where nobody knows it, or we do not speak it, that of the word."""
    try:
        return translation.get_supported_language_variant(contact.language.lower())
    except LookupError:
        return _LANGUAGE_OF[word]
