"""What a version of a flow asks and says, read from its document and checked."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.messaging.wording.formats import normalized
from apps.registration import default_texts
from apps.registration.kinds import Kind
from apps.registration.validation.checking import Wrong, check

# Where somebody is who is at no question; so no question is called that.
CONSENT, SUMMARY = "consent", "summary"

MOST_QUESTIONS = 30
MOST_LANGUAGES = 10
LONGEST_TEXT = 1_000
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class BadDefinition(Exception):
    """`pointer` says where, `code` is for programs, `detail` says what to do."""

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer, self.code, self.detail = pointer, code, detail


@dataclass(frozen=True, slots=True)
class Question:
    key: str
    kind: Kind
    is_required: bool = True
    # By language; where one is missing, the usual words of its kind.
    asks: Mapping[str, str] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)
    # What a summary calls it.
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Definition:
    # The first one speaks to those whose language nobody knows.
    languages: Sequence[str]
    questions: Sequence[Question]
    # By language and name; where one is missing, the usual words.
    texts: Mapping[str, Mapping[str, str]]

    def question(self, key: str) -> Question | None:
        return next((question for question in self.questions if question.key == key), None)

    def of_kind(self, kind: Kind) -> Question | None:
        """The one that a value of this kind answers. Free ones are answered only when they are asked."""
        if kind is Kind.FREE:
            return None
        return next((question for question in self.questions if question.kind is kind), None)

    def language_for(self, wanted: str) -> str:
        """The person's own, or its sister, or the first."""
        exact = normalized(wanted) if wanted else None
        if exact in self.languages:
            return str(exact)
        short = wanted.lower().partition("-")[0]
        sister = next((each for each in self.languages if each.lower().partition("-")[0] == short), None)
        return sister or self.languages[0]

    def text(self, name: str, language: str) -> str:
        return self.texts.get(language, {}).get(name) or default_texts.text(name, language)

    def ask(self, question: Question, language: str) -> str:
        return question.asks.get(language) or default_texts.ask(question.kind, language)

    def help(self, question: Question, language: str) -> str:
        return question.helps.get(language) or default_texts.help_with(question.kind, language)

    def label(self, question: Question, language: str) -> str:
        return question.labels.get(language) or default_texts.label(question.kind, language)


def read(document: Any) -> Definition:
    """Raises BadDefinition."""
    _object(document, "", {"languages", "questions", "texts"})
    languages = tuple(_languages(document.get("languages")))
    questions = tuple(_questions(document.get("questions"), languages))
    texts = document.get("texts", {})
    _object(texts, "texts", set(languages))
    for language, words in texts.items():
        _texts(words, f"texts/{language}", set(default_texts.NAMES))
    for language in languages:
        if not texts.get(language, {}).get(default_texts.CONSENT):
            detail = _("Say what people agree to: what is kept, what for, and how to have it erased.")
            raise BadDefinition(f"texts/{language}/{default_texts.CONSENT}", "required", detail)
    return Definition(languages, questions, texts)


def _languages(found: Any) -> Iterator[str]:
    if not isinstance(found, list) or not found:
        raise BadDefinition("languages", "required", _("Name at least one language, such as pt-BR."))
    if len(found) > MOST_LANGUAGES:
        raise BadDefinition("languages", "max_length", _("At most %(most)d of them.") % {"most": MOST_LANGUAGES})
    seen = set()
    for n, each in enumerate(found):
        language = normalized(each) if isinstance(each, str) and each else None
        if language is None or language in seen:
            raise BadDefinition(f"languages/{n}", "invalid", _("This is no language, or it is there twice."))
        seen.add(language)
        yield language


def _questions(found: Any, languages: Sequence[str]) -> Iterator[Question]:
    if not isinstance(found, list) or not found:
        raise BadDefinition("questions", "required", _("Ask at least one question."))
    if len(found) > MOST_QUESTIONS:
        raise BadDefinition("questions", "max_length", _("At most %(most)d of them.") % {"most": MOST_QUESTIONS})
    keys: set[str] = set()
    kinds: set[Kind] = set()
    for n, each in enumerate(found):
        question = _question(each, f"questions/{n}", languages)
        if question.key in keys:
            raise BadDefinition(f"questions/{n}/key", "duplicate", _("Another question has this key."))
        if question.kind is not Kind.FREE and question.kind in kinds:
            detail = _("Only free questions can be asked several times.")
            raise BadDefinition(f"questions/{n}/kind", "duplicate", detail)
        keys.add(question.key)
        kinds.add(question.kind)
        yield question


def _question(found: Any, pointer: str, languages: Sequence[str]) -> Question:
    _object(found, pointer, {"key", "kind", "required", "ask", "help", "label"})
    if found.get("kind") not in Kind.values:
        detail = _("This must be one of: %(known)s.") % {"known": ", ".join(Kind.values)}
        raise BadDefinition(f"{pointer}/kind", "invalid_choice", detail)
    kind = Kind(found["kind"])
    key = found.get("key", kind.value)
    if not isinstance(key, str) or not _KEY.fullmatch(key) or key in {CONSENT, SUMMARY}:
        detail = _(
            "Small letters, digits and underscores; it begins with a letter, and is neither consent nor summary."
        )
        raise BadDefinition(f"{pointer}/key", "invalid", detail)
    is_required = found.get("required", True)
    if not isinstance(is_required, bool):
        raise BadDefinition(f"{pointer}/required", "invalid", _("This is true or false."))
    words = {}
    for name in ("ask", "help", "label"):
        words[name] = found.get(name, {})
        _texts(words[name], f"{pointer}/{name}", set(languages))
    if kind is Kind.FREE:
        for language in languages:
            if not words["ask"].get(language):
                raise BadDefinition(f"{pointer}/ask/{language}", "required", _("Say what is asked."))
    return Question(key, kind, is_required, words["ask"], words["help"], words["label"])


def _object(found: Any, pointer: str, known: set[str]) -> None:
    if not isinstance(found, dict):
        raise BadDefinition(pointer, "invalid", _("This is an object."))
    for name in found:
        if name not in known:
            detail = _("Unknown. Known: %(known)s.") % {"known": ", ".join(sorted(known))}
            raise BadDefinition(f"{pointer}/{name}".lstrip("/"), "unknown", detail)


def _texts(found: Any, pointer: str, known: set[str]) -> None:
    _object(found, pointer, known)
    for name, text in found.items():
        if not isinstance(text, str) or len(text) > LONGEST_TEXT:
            detail = _("This is a text of at most %(most)d characters.") % {"most": LONGEST_TEXT}
            raise BadDefinition(f"{pointer}/{name}", "invalid", detail)
        # Left empty, it stands for the usual words.
        wrong = check(Kind.FREE, text) if text else None
        if isinstance(wrong, Wrong):
            raise BadDefinition(f"{pointer}/{name}", "invalid", wrong.detail)
