"""What a flow asks and says: between the document that is published, and fields in which people write."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from apps.registration import default_texts

type Document = dict[str, Any]

# The languages that the form asks for, by how their fields end. Others stay as they were published.
LANGUAGES = {"pt": "pt-BR", "en": "en"}
TEXTS = {
    default_texts.CONSENT: _("What people agree to"),
    "welcome": _("Welcome"),
    "consent_ask": _("Whether they agree"),
    "welcome_back": _("Welcome to somebody who is known"),
    "which_change": _("What is to be changed"),
    "summary": _("Whether all of it is right"),
    "done": _("At the end"),
    "declined": _("After somebody did not agree"),
    "stopped": _("After somebody wanted no more"),
    "not_understood": _("Where nothing was understood"),
    "handed_over": _("Before a person takes over"),
    "handed_back": _("After a person took over"),
    "still_there": _("After a long silence"),
    "closed": _("Where nobody answers any more"),
    "skipped": _("Where a question is skipped"),
    "required": _("Where a question cannot be skipped"),
}
_WORDS = ("ask", "help", "label")


def _in_language(label: object, ending: str) -> str:
    return f"{label} ({LANGUAGES[ending]})"


in_language = lazy(_in_language, str)


def text_fields(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Each text in its languages, side by side."""
    return [tuple(f"{name}_{ending}" for ending in LANGUAGES) for name in names]


def texts_in_fields(document: Document | None) -> dict[str, str]:
    texts = document["texts"] if document else {}
    return {
        f"{name}_{ending}": texts.get(language, {}).get(name, "")
        for ending, language in LANGUAGES.items()
        for name in TEXTS
    }


def texts_from_fields(said: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By language: those in which something is said."""
    by_language = {
        language: {name: text for name in TEXTS if (text := (said.get(f"{name}_{ending}") or "").strip())}
        for ending, language in LANGUAGES.items()
    }
    return {language: texts for language, texts in by_language.items() if texts}


def question_in_fields(question: Document) -> dict[str, Any]:
    words = {
        f"{name}_{ending}": question.get(name, {}).get(language, "")
        for name in _WORDS
        for ending, language in LANGUAGES.items()
    }
    key = question.get("key", question["kind"])
    return words | {
        "kind": question["kind"],
        "key": "" if key == question["kind"] else key,
        "required": question.get("required", True),
    }


def question_from_fields(said: Mapping[str, Any], previous: Document | None) -> Document:
    key = said["key"] or said["kind"]
    before = next((each for each in _questions(previous) if each.get("key", each["kind"]) == key), {})
    words = {}
    for name in _WORDS:
        typed = {language: said[f"{name}_{ending}"] for ending, language in LANGUAGES.items()}
        words[name] = _others(before.get(name, {})) | {language: text for language, text in typed.items() if text}
    return {"key": key, "kind": said["kind"], "required": said["required"], **words}


def document_of(
    previous: Document | None, texts: Mapping[str, Mapping[str, str]], questions: Iterable[Document]
) -> Document:
    """Languages stay in their order: the first one speaks to those whose language nobody knows."""
    published = previous or {"languages": [], "texts": {}}
    says = {**_others(published["texts"]), **texts}
    before = [language for language in published["languages"] if language in says]
    languages = list(dict.fromkeys([*before, *texts]))
    return {"languages": languages, "questions": list(questions), "texts": says}


def _questions(document: Document | None) -> list[Document]:
    return document["questions"] if document else []


def _others[T](by_language: Mapping[str, T]) -> dict[str, T]:
    known = LANGUAGES.values()
    return {language: said for language, said in by_language.items() if language not in known}
