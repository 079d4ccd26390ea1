"""What templates say, with variables in their places: for a batch of messages, in a fixed number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import F, Q
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels.content import Content
from apps.channels.registry import connector_class
from apps.messaging.consent.links import preferences_url
from apps.messaging.models import Contact, Template, TemplateText, TemplateVersion
from apps.messaging.wording.contents import TEXTS_IN_ORDER, Unsayable, say
from apps.messaging.wording.variables import BadVariable, Variable, built_in, declared_by, values_of

if TYPE_CHECKING:
    from apps.messaging.engine.new_message import WantedTemplate


@dataclass(frozen=True, slots=True)
class Wanted:
    """A template for somebody on a channel. `field` is where a caller named it."""

    template: "WantedTemplate"
    connector: str
    contact_id: UUID
    field: str
    # Of the message; the template's, where it has none of its own.
    category: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    content: Content
    category: str
    template_id: UUID


@dataclass(frozen=True, slots=True)
class Uncomposed:
    """`field` is what is wrong, `code` is for programs, `detail` says what to do."""

    field: str
    code: str
    detail: str


def compose(organization: Organization, wanted: Mapping[int, Wanted]) -> dict[int, Composed | Uncomposed]:
    books = _books(organization, [each.template for each in wanted.values()])
    people = _people(organization, {each.contact_id for each in wanted.values()})
    return {n: _compose(organization, each, books, people) for n, each in wanted.items()}


def categories(organization: Organization, names: Iterable[str]) -> dict[str, str]:
    """Of templates, by their names."""
    templates = Template.objects.for_organization(organization).filter(name__in=set(names))
    return dict(templates.values_list("name", "category"))


def text_for(texts: Sequence[TemplateText], *languages: str) -> TemplateText:
    """In the first of the languages that there is a text in, or one that is close to it; else the first text."""
    for language in filter(None, languages):
        distances = [_distance(text.language, language) for text in texts]
        if min(distances) < _FAR:
            return texts[distances.index(min(distances))]
    return texts[0]


_FAR = 3


def _distance(known: str, wanted: str) -> int:
    known, wanted = known.lower(), wanted.lower().replace("_", "-")
    base = wanted.partition("-")[0]
    near = (wanted, base, known if known.partition("-")[0] == base else "")
    return near.index(known) if known in near else _FAR


@dataclass(frozen=True)
class _Edition:
    """A published version, read once for all messages of a batch."""

    version: TemplateVersion

    @cached_property
    def variables(self) -> list[Variable]:
        return declared_by(self.version)

    @cached_property
    def texts(self) -> list[TemplateText]:
        return list(self.version.texts.all())


@dataclass(frozen=True, slots=True)
class _Book:
    template: Template
    # By number.
    editions: Mapping[int, _Edition]
    published: _Edition | None


@dataclass(frozen=True, slots=True)
class _Person:
    language: str
    zone: ZoneInfo | None


def _books(organization: Organization, wanted: Sequence["WantedTemplate"]) -> dict[str, _Book]:
    """By name; of each template the version that is published, and those that are named."""
    templates = Template.objects.for_organization(organization).filter(
        name__in={each.name for each in wanted}, archived_at=None
    )
    numbers = {each.version for each in wanted if each.version is not None}
    editions: dict[UUID, dict[int, _Edition]] = {}
    found = list(templates)
    versions = TemplateVersion.objects.for_organization(organization).filter(
        Q(pk=F("template__published")) | Q(number__in=numbers),
        template__in=found,
        published_at__isnull=False,
    )
    for version in versions.prefetch_related(TEXTS_IN_ORDER):
        editions.setdefault(version.template_id, {})[version.number] = _Edition(version)
    books = {}
    for template in found:
        known = editions.get(template.pk, {})
        published = [each for each in known.values() if each.version.pk == template.published_id]
        books[template.name] = _Book(template, known, next(iter(published), None))
    return books


def _people(organization: Organization, contact_ids: set[UUID]) -> dict[UUID, _Person]:
    contacts = Contact.objects.for_organization(organization).filter(pk__in=contact_ids)
    return {
        contact_id: _Person(language, _zone(zone))
        for contact_id, language, zone in contacts.values_list("pk", "language", "time_zone")
    }


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as America
        return None


def _compose(
    organization: Organization, wanted: Wanted, books: Mapping[str, _Book], people: Mapping[UUID, _Person]
) -> Composed | Uncomposed:
    book = books.get(wanted.template.name)
    if book is None:
        detail = _("There is no such template, or it is archived.")
        return Uncomposed(f"{wanted.field}/name", "unknown_template", detail)
    number = wanted.template.version
    edition = book.published if number is None else book.editions.get(number)
    if edition is None:
        if number is None:
            detail = _("No version of this template is published yet.")
            return Uncomposed(f"{wanted.field}/name", "not_published", detail)
        detail = _("There is no such version, or it is not published yet.")
        return Uncomposed(f"{wanted.field}/version", "unknown_version", detail)
    person = people.get(wanted.contact_id, _Person("", None))
    text = text_for(edition.texts, wanted.template.language, person.language)
    category = book.template.category
    own = built_in(organization.name, preferences_url(wanted.contact_id, wanted.category or category))
    try:
        given = values_of(edition.variables, wanted.template.variables, person.zone)
        content = say(text, edition.variables, own | given, connector_class(wanted.connector).capabilities)
    except BadVariable as bad:
        return Uncomposed(f"{wanted.field}/variables/{bad.name[:60]}", bad.code, bad.detail)
    except Unsayable as error:
        detail = f"{error.field} ({text.language}): {error.detail}"
        return Uncomposed(wanted.field, error.code, detail)
    return Composed(content, category, book.template.pk)
