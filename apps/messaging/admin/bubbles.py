"""What a version says, as people would see it: one bubble a language, and which channels take it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from apps.channels.content import Content
from apps.channels.registry import NAMES, connector_class
from apps.messaging.models import TemplateText, TemplateVersion
from apps.messaging.wording.contents import TEXTS_IN_ORDER, WHATEVER, Unsayable, say
from apps.messaging.wording.formats import locale_of
from apps.messaging.wording.preview import previews
from apps.messaging.wording.variables import built_in, declared_by, samples_of, values_of


@dataclass(frozen=True, slots=True)
class _Channel:
    label: str
    # The provider's own, which it goes as.
    template: str
    # Why it would be refused.
    detail: str


@dataclass(frozen=True, slots=True)
class _Bubble:
    name: str
    language: str
    # None where it cannot be said, for the reason that the channels tell.
    content: Content | None
    channels: list[_Channel]


def bubbles_of(version: TemplateVersion) -> SafeString:
    found = TemplateVersion.across_organizations.select_related("organization").prefetch_related(TEXTS_IN_ORDER)
    version = found.get(pk=version.pk)
    shown = [_bubble(version, text) for text in version.texts.all()]
    return render_to_string("messaging/admin/bubbles.html", {"bubbles": shown})


def _bubble(version: TemplateVersion, text: TemplateText) -> _Bubble:
    variables, house = declared_by(version), version.organization.name
    values = built_in(house) | values_of(variables, samples_of(variables))
    try:
        content = say(text, variables, values, WHATEVER)
    except Unsayable:
        content = None
    locale = locale_of(text.language)
    name = (locale and locale.get_display_name()) or text.language
    return _Bubble(name[:1].upper() + name[1:], text.language, content, list(_channels(version, text, house)))


def _channels(version: TemplateVersion, text: TemplateText, house: str) -> Iterator[_Channel]:
    for each in previews(version, text, NAMES, organization=house):
        template = each.content.template.name if each.content and each.content.template else ""
        yield _Channel(
            str(connector_class(each.channel).label), template, each.problem.detail if each.problem else ""
        )
