"""From a text of a template, and values for its variables, to what a message says on a channel."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from babel import Locale
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from apps.channels.capabilities import AddressKind, Capabilities
from apps.channels.content import (
    LONGEST_BUTTON_TITLE,
    Button,
    Content,
    Media,
    MediaKind,
    ProviderTemplate,
)
from apps.core.addresses import TargetRefused, check_url
from apps.messaging.models import TemplateText
from apps.messaging.wording import whatsapp
from apps.messaging.wording.formats import locale_of
from apps.messaging.wording.rendering import Unrendered, render
from apps.messaging.wording.variables import LONGEST_URL, Value, Variable

LONGEST_SUBJECT = 255
LONGEST_FILE_NAME = 200
# What any channel may carry: what a certain one does not, is said where a message is for it.
WHATEVER = Capabilities(address=AddressKind.PHONE, longest_text=10**9, has_subject=True)
# The first is the template's default.
TEXTS_IN_ORDER = Prefetch("texts", TemplateText.across_organizations.order_by("pk"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Unsayable(Exception):
    """`field` is which part of the text, `code` is for programs, `detail` says what to do."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.code, self.detail = field, code, detail


@dataclass(frozen=True, slots=True)
class _Said:
    """The parts of a text, with the values in them."""

    values: Mapping[str, Value]
    locale: Locale

    def render(self, field: str, source: str) -> str:
        try:
            return render(source, self.values, self.locale).strip()
        except Unrendered as error:
            raise Unsayable(field, "not_rendered", error.detail) from None

    def line(self, field: str, source: str, most: int) -> str:
        """On one line, whatever a variable brings."""
        text = " ".join(self.render(field, source).split())
        if len(text) > most:
            raise Unsayable(field, "too_long", _("At most %(most)d characters.") % {"most": most})
        if _CONTROL.search(text):
            raise Unsayable(field, "invalid", _("Control characters are not allowed."))
        return text

    def filled_line(self, field: str, source: str, most: int) -> str:
        text = self.line(field, source, most)
        if not text:
            raise Unsayable(field, "blank", _("With these variables this is blank."))
        return text


def sources(text: TemplateText) -> Iterator[tuple[str, str]]:
    """Everything in a text that variables may be in, each with where it is."""
    yield "subject", text.subject
    yield "body", text.body
    for field in ("url", "file_name"):
        if media := text.content.get("media"):
            yield f"media/{field}", media.get(field, "")
    for n, button in enumerate(text.content.get("buttons", ())):
        yield f"buttons/{n}/title", button["title"]
    for place, source in whatsapp.strings(text.whatsapp_components):
        yield f"whatsapp/components/{place}", source


def say(
    text: TemplateText, variables: Sequence[Variable], values: Mapping[str, Value], capabilities: Capabilities
) -> Content:
    """What a channel of these capabilities is asked to carry. Raises Unsayable."""
    locale = locale_of(text.language)
    assert locale is not None, "a text has a language that was looked at"
    said = _Said(values, locale)
    body = said.render("body", text.body)
    if capabilities.has_templates and text.whatsapp_name:
        return Content(body, template=_provider_template(text, variables, said))
    media = _media(text, said)
    if not body and media is None:
        raise Unsayable("body", "blank", _("With these variables this is blank."))
    subject = said.line("subject", text.subject, LONGEST_SUBJECT) if capabilities.has_subject else ""
    return Content(body, subject, media, _buttons(text, said))


def _media(text: TemplateText, said: _Said) -> Media | None:
    document = text.content.get("media")
    if not document:
        return None
    url = said.filled_line("media/url", document["url"], LONGEST_URL)
    try:
        check_url(url)
    except TargetRefused as refused:
        detail = _("This cannot be fetched: %(reason)s. Give an https URL that everybody can reach.")
        raise Unsayable("media/url", "refused_url", detail % {"reason": refused.reason}) from None
    file_name = said.line("media/file_name", document.get("file_name", ""), LONGEST_FILE_NAME)
    if "/" in file_name or "\\" in file_name:
        raise Unsayable("media/file_name", "invalid", _("A name without slashes and control characters."))
    return Media(MediaKind(document["kind"]), url, file_name, document.get("media_type", ""))


def _buttons(text: TemplateText, said: _Said) -> tuple[Button, ...]:
    return tuple(
        Button(button["id"], said.filled_line(f"buttons/{n}/title", button["title"], LONGEST_BUTTON_TITLE))
        for n, button in enumerate(text.content.get("buttons", ()))
    )


def _provider_template(text: TemplateText, variables: Sequence[Variable], said: _Said) -> ProviderTemplate:
    def fill(place: str, source: str) -> str:
        field = f"whatsapp/components/{place}"
        filled = " ".join(said.render(field, source).split())  # WhatsApp takes no line breaks here
        if source and not filled:
            # And nothing empty either.
            detail = _("WhatsApp takes no empty parameter. Fill in the variables of this one: %(source)s.")
            raise Unsayable(field, "blank", detail % {"source": source[:100]})
        return filled

    components = text.whatsapp_components or whatsapp.of_variables(variables)
    language = text.whatsapp_language or whatsapp.language_of(text.language)
    return ProviderTemplate(text.whatsapp_name, language, tuple(whatsapp.filled(components, fill)))
