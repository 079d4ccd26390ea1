"""Whether a version can be said at all: asked when it is saved, so that it need not be asked when it is sent."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.channels.content import LONGEST_BUTTON_ID, MediaKind
from apps.messaging.models import TemplateText
from apps.messaging.wording import variables, whatsapp
from apps.messaging.wording.contents import WHATEVER, Unsayable, say, sources
from apps.messaging.wording.formats import normalized
from apps.messaging.wording.rendering import NotAllowed, check
from apps.messaging.wording.variables import BUILT_IN, BadValue, BadVariable, Variable, VariableType
from apps.messaging.wording.whatsapp import BadComponents

MOST_VARIABLES = 50
MOST_TEXTS = 20
LONGEST_SAMPLE = 500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Words of the language that sources are written in.
_TAKEN = frozenset(
    {*BUILT_IN, "and", "else", "elif", "endif", "false", "if", "in", "is", "loop", "none", "not", "or", "self",
     "super", "true"}
)  # fmt: skip
_WITH_TEMPLATES = replace(WHATEVER, has_templates=True)

type Mistakes = dict[str, list[ErrorDetail]]


def check_version(declared: Sequence[Variable], texts: Sequence[TemplateText]) -> None:
    """Raises ValidationError, which names every variable and text that is wrong."""
    mistakes: Mistakes = {}
    _check_variables(declared, mistakes)
    if len(texts) > MOST_TEXTS:
        _note(mistakes, "texts", "max_length", _("At most %(most)d of them.") % {"most": MOST_TEXTS})
    elif not mistakes:
        for n, text in enumerate(texts):
            _check_text(text, texts[:n], declared, f"texts/{n}", mistakes)
    if mistakes:
        raise ValidationError(mistakes)


def _check_variables(declared: Sequence[Variable], mistakes: Mistakes) -> None:
    if len(declared) > MOST_VARIABLES:
        _note(mistakes, "variables", "max_length", _("At most %(most)d of them.") % {"most": MOST_VARIABLES})
        return
    seen: set[str] = set()
    for n, variable in enumerate(declared):
        name = f"variables/{n}/name"
        if not _NAME.fullmatch(variable.name):
            _note(mistakes, name, "invalid", _("Small letters, digits and underscores, at most 40."))
        elif variable.name in _TAKEN:
            _note(mistakes, name, "taken", _("This name means something else already."))
        elif variable.name in seen:
            _note(mistakes, name, "not_unique", _("Each variable has a name of its own."))
        seen.add(variable.name)
        _check_sample(variable, f"variables/{n}/sample", mistakes)


def _check_sample(variable: Variable, pointer: str, mistakes: Mistakes) -> None:
    if isinstance(variable.sample, str) and len(variable.sample) > LONGEST_SAMPLE:
        _note(mistakes, pointer, "max_length", _("At most %(most)d characters.") % {"most": LONGEST_SAMPLE})
        return
    try:
        variables.read(variable.type, variable.sample)
    except BadValue as bad:
        _note(mistakes, pointer, "invalid", bad.detail)


def _check_language(text: TemplateText, before: Iterable[TemplateText], pointer: str, mistakes: Mistakes) -> None:
    language = normalized(text.language)
    if language is None:
        _note(mistakes, pointer, "invalid", _("A language is needed, such as en or pt-BR."))
    elif language != text.language:
        detail = _("This language is written %(language)s.") % {"language": language}
        _note(mistakes, pointer, "invalid", detail)
    elif any(other.language == text.language for other in before):
        _note(mistakes, pointer, "not_unique", _("There is one text for each language."))


def _check_text(
    text: TemplateText,
    before: Iterable[TemplateText],
    declared: Sequence[Variable],
    place: str,
    mistakes: Mistakes,
) -> None:
    """Each step can look only at what passed the one before."""
    known = len(mistakes)
    _check_language(text, before, f"{place}/language", mistakes)
    _check_parts(text, place, mistakes)
    if len(mistakes) > known:
        return
    types: Mapping[str, VariableType] = {variable.name: variable.type for variable in declared} | BUILT_IN
    for field, source in sources(text):
        try:
            check(source, types)
        except NotAllowed as error:
            _note(mistakes, f"{place}/{field}", "not_allowed", error.detail)
    if len(mistakes) > known:
        return
    try:
        values = variables.built_in("Recado") | variables.values_of(declared, variables.samples_of(declared))
        for capabilities in (WHATEVER, _WITH_TEMPLATES):
            say(text, declared, values, capabilities)
    except Unsayable as error:
        detail = _("With the samples: %(detail)s") % {"detail": error.detail}
        _note(mistakes, f"{place}/{error.field}", error.code, detail)
    except BadVariable:
        raise AssertionError("the samples were looked at before") from None


def _check_parts(text: TemplateText, place: str, mistakes: Mistakes) -> None:
    media: Mapping[str, Any] = text.content.get("media") or {}
    if media and media.get("kind") not in set(MediaKind):
        detail = _("This must be one of: %(known)s.") % {"known": ", ".join(MediaKind)}
        _note(mistakes, f"{place}/media/kind", "invalid_choice", detail)
    ids = [button["id"] for button in text.content.get("buttons", ())]
    for n, button_id in enumerate(ids):
        if not button_id.strip() or not button_id.isprintable() or len(button_id) > LONGEST_BUTTON_ID:
            detail = _("At most %(most)d printable characters.") % {"most": LONGEST_BUTTON_ID}
            _note(mistakes, f"{place}/buttons/{n}/id", "invalid", detail)
        elif button_id in ids[:n]:
            _note(mistakes, f"{place}/buttons/{n}/id", "not_unique", _("Each button has an id of its own."))
    _check_whatsapp(text, f"{place}/whatsapp", mistakes)


def _check_whatsapp(text: TemplateText, place: str, mistakes: Mistakes) -> None:
    if not text.whatsapp_name:
        if text.whatsapp_components or text.whatsapp_language:
            _note(mistakes, f"{place}/name", "required", _("Give the template's name at WhatsApp."))
        return
    if not whatsapp.is_name(text.whatsapp_name):
        _note(mistakes, f"{place}/name", "invalid", _("Small letters, digits and underscores, at most 512."))
    if text.whatsapp_language and not whatsapp.is_language(text.whatsapp_language):
        detail = _("As WhatsApp writes it, such as en or pt_BR.")
        _note(mistakes, f"{place}/language", "invalid", detail)
    try:
        whatsapp.check(text.whatsapp_components)
    except BadComponents as bad:
        _note(mistakes, f"{place}/components/{bad.field}".rstrip("/"), "invalid", bad.detail)


def _note(mistakes: Mistakes, pointer: str, code: str, detail: str) -> None:
    mistakes.setdefault(pointer, []).append(ErrorDetail(detail, code=code))
