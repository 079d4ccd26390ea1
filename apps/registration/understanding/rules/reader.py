"""The rules put together, and whether they are sure of what they read."""

from dataclasses import dataclass

from apps.registration.kinds import Kind
from apps.registration.understanding.reading import Asked, Intent, Reading, Slot
from apps.registration.understanding.rules import answers, intents, speech
from apps.registration.understanding.rules.addresses import find_addresses, find_bare_address
from apps.registration.understanding.rules.contacts import (
    find_emails,
    find_likely_phones,
    find_nearly_email,
    find_plain_phones,
)
from apps.registration.understanding.rules.found import Found, Message
from apps.registration.understanding.rules.names import find_bare_name, find_name_in_front, find_names
from apps.registration.understanding.rules.normalizing import canonical, folded, prepared
from apps.registration.understanding.rules.papers import find_birth_dates, find_tax_ids
from apps.registration.understanding.rules.vocabulary import words as word_set

# Around a value they say nothing but what it is.
_SAYS_WHAT_IT_IS = word_set("""
    o a os as meu minha e eh nome email telefone cpf endereco nascimento completo moro na no em nasci
    dia eu me chamo sou aqui my name is its it im live at was born on and the por favor please oi ola
    novo aqui ai anota
""")
# Behind a yes.
_NO_QUESTION = ("why not?", "por que nao?", "porque nao?", "pq nao?")
_OF_DIGITS = frozenset({Kind.PHONE, Kind.TAX_ID, Kind.BIRTH_DATE})


@dataclass(frozen=True, slots=True)
class Judged:
    reading: Reading

    is_certain: bool
    """Whether no other reader could make anything else of it."""


class RulesReader:
    def read(self, text: str, asked: Asked) -> Reading:
        return self.judge(text, asked).reading

    def judge(self, text: str, asked: Asked) -> Judged:
        plain = prepared(text)
        if asked.kind is Kind.FREE:
            return _free(plain, asked)
        return _judge(speech.written(plain), asked)


def _free(text: str, asked: Asked) -> Judged:
    """Whatever somebody writes is the answer, unless it is all a cry for something else, or a no that will do."""
    said = folded(text)
    words = "" if intents.is_to_the_machine(said) else canonical(said)
    intent = intents.plain_command(words)
    if intent is None and not asked.is_required and intents.is_plain_refusal(words):
        intent = Intent.DENY
    if intent is None:
        slots = (Slot(Kind.FREE, text),) if text else ()
        return Judged(Reading(Intent.OTHER, slots), is_certain=True)
    return Judged(Reading(intent), is_certain=True)


def _judge(text: str, asked: Asked) -> Judged:
    message = Message(text, folded(text), asked)
    is_to_the_machine = intents.is_to_the_machine(message.folded)
    _find_by_look(message)
    if is_to_the_machine:
        return Judged(Reading(Intent.OTHER, _slots(message)), is_certain=True)
    _find_by_words(message)
    words = canonical(message.masked())
    intent = intents.intent_of(words, asked)
    if intent is Intent.OTHER:
        _find_answer(message)
    elif intent in {Intent.STOP, Intent.HUMAN, Intent.HELP}:
        message.found = [each for each in message.found if each.kind is not Kind.NAME]
    if intent in {Intent.OTHER, Intent.CONFIRM} and asked.is_summary and message.found:
        intent = Intent.CORRECT
    if _asks_back(message, intent):
        intent = Intent.HELP
    corrects = _corrected(message, words) if intent in {Intent.CORRECT, Intent.UPDATE} else None
    reading = Reading(intent, _slots(message), corrects)
    return Judged(reading, _is_certain(message, intent))


def _asks_back(message: Message, intent: Intent) -> bool:
    """A question in answer to a question is about that question."""
    if not message.text.endswith("?"):
        return False
    if intent is Intent.CONFIRM:
        return not message.folded.endswith(_NO_QUESTION)
    if message.asked.is_consent:
        return intent not in {Intent.DENY, Intent.HUMAN, Intent.STOP}
    is_open = message.asked.kind is not None
    return is_open and intent in {Intent.OTHER, Intent.REGISTER} and not message.found


def _find_by_look(message: Message) -> None:
    find_emails(message)
    if message.asked.kind is Kind.BIRTH_DATE:
        find_birth_dates(message)
    find_tax_ids(message)
    find_birth_dates(message)
    find_plain_phones(message)


def _find_by_words(message: Message) -> None:
    find_addresses(message)
    find_likely_phones(message)
    find_names(message)
    find_name_in_front(message)


def _find_answer(message: Message) -> None:
    """What was asked for, in the shape that it has if the message is nothing else."""
    match message.asked.kind:
        case Kind.NAME:
            find_bare_name(message)
        case Kind.EMAIL:
            find_nearly_email(message)
        case Kind.POSTAL_ADDRESS:
            find_bare_address(message)
        case kind if kind in _OF_DIGITS and not message.found:
            _find_digits(message, kind)


def _find_digits(message: Message, kind: Kind) -> None:
    """Too few or too many of them: the person is told what is wrong, rather than asked again."""
    digits = [n for n, each in enumerate(message.text) if each.isdigit()]
    if len(digits) > 1:
        message.add(Found(kind, digits[0], digits[-1] + 1, is_well_formed=False))


def _slots(message: Message) -> tuple[Slot, ...]:
    return tuple(Slot(each.kind, message.text[each.start : each.end].strip()) for each in message.in_order())


def _corrected(message: Message, words: str) -> Kind | None:
    kinds = {each.kind for each in message.found}
    if len(kinds) == 1:
        return kinds.pop()
    return intents.named(words) or (Kind.POSTAL_ADDRESS if intents.is_moving(words) else None)


def _is_certain(message: Message, intent: Intent) -> bool:
    words = canonical(message.masked())
    if not message.found:
        return answers.plain(words, message.asked) is intent or intents.plain_command(words) is intent
    rest = [word for word in words.split() if not word.startswith("#")]
    is_alone = len(message.found) == 1 and _SAYS_WHAT_IT_IS.issuperset(rest)
    return is_alone and message.found[0].is_well_formed and intent in {Intent.OTHER, Intent.CORRECT}
