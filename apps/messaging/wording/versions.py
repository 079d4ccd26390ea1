"""Write templates: a version is changed while it is a draft, published, and from then on stays as it is."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.core import clock
from apps.core.api.problems import Conflict
from apps.messaging.models import Template, TemplateText, TemplateVersion
from apps.messaging.statuses import Category
from apps.messaging.wording.checks import check_version
from apps.messaging.wording.contents import TEXTS_IN_ORDER
from apps.messaging.wording.variables import Variable, declared_by

CHANGEABLE = ("category", "description")
_OF_A_TEXT = (
    "language",
    "subject",
    "body",
    "content",
    "whatsapp_name",
    "whatsapp_language",
    "whatsapp_components",
)


class NameTaken(Conflict):
    default_code = "name_taken"
    default_detail = _("Another template has this name.")


class Published(Conflict):
    default_code = "published"
    default_detail = _("This version was published, so it stays as it is. Make a new one.")


class SaysNothing(Conflict):
    default_code = "says_nothing"
    default_detail = _("This version has no text yet.")


@transaction.atomic
def create(
    principal: Principal,
    *,
    name: str,
    category: str = Category.TRANSACTIONAL,
    description: str = "",
    variables: Sequence[Variable] = (),
    texts: Sequence[TemplateText] = (),
) -> TemplateVersion:
    """A template, and its first version as a draft."""
    template = Template(organization=principal.organization, name=name, category=category, description=description)
    try:
        with transaction.atomic():
            template.save(force_insert=True)
    except IntegrityError as error:
        if "template_name" in str(error):
            raise NameTaken from error
        raise
    audit.record(
        principal.actor,
        "template.created",
        template,
        organization=principal.organization,
        changes={"category": (None, category)},
    )
    return _add(principal, template, 1, variables, texts)


@transaction.atomic
def change(principal: Principal, template: Template, **values: Any) -> Template:
    template = locked(principal.organization, template)
    before = audit.snapshot(template, CHANGEABLE)
    for field, value in values.items():
        setattr(template, field, value)
    changes = audit.difference(before, template)
    if changes:
        template.save(update_fields=list(CHANGEABLE))
        audit.record(
            principal.actor, "template.changed", template, organization=principal.organization, changes=changes
        )
    return template


@transaction.atomic
def archive(principal: Principal, template: Template) -> Template:
    """Nothing more is sent by it. What waits already is sent."""
    template = locked(principal.organization, template)
    if template.archived_at is None:
        template.archived_at = clock.now()
        template.save(update_fields=["archived_at"])
        audit.record(principal.actor, "template.archived", template, organization=principal.organization)
    return template


@transaction.atomic
def restore(principal: Principal, template: Template) -> Template:
    template = locked(principal.organization, template)
    if template.archived_at is not None:
        template.archived_at = None
        template.save(update_fields=["archived_at"])
        audit.record(principal.actor, "template.restored", template, organization=principal.organization)
    return template


@transaction.atomic
def draft(
    principal: Principal, template: Template, *, variables: Sequence[Variable], texts: Sequence[TemplateText]
) -> TemplateVersion:
    """One more version."""
    template = locked(principal.organization, template)
    versions = TemplateVersion.objects.for_organization(principal.organization).filter(template=template)
    last = versions.order_by("-number").values_list("number", flat=True).first()
    return _add(principal, template, (last or 0) + 1, variables, texts)


@transaction.atomic
def rewrite(
    principal: Principal,
    version: TemplateVersion,
    *,
    variables: Sequence[Variable] | None = None,
    texts: Sequence[TemplateText] | None = None,
) -> TemplateVersion:
    """Another draft in its place; what is not given stays."""
    template = locked(principal.organization, version.template)
    version = _current(principal.organization, version)
    if version.published_at is not None:
        raise Published
    declared = declared_by(version) if variables is None else variables
    said = list(version.texts.all()) if texts is None else texts
    check_version(declared, said)
    version.variables = [variable.as_document() for variable in declared]
    version.save(update_fields=["variables"])
    if texts is not None:
        TemplateText.objects.for_organization(principal.organization).filter(version=version).delete()
        _write_texts(version, texts)
    audit.record(
        principal.actor,
        "template.draft_changed",
        template,
        organization=principal.organization,
        changes={"version": (None, version.number)},
    )
    return _current(principal.organization, version)


@transaction.atomic
def publish(principal: Principal, version: TemplateVersion) -> TemplateVersion:
    """What is sent from now on where no version is named. One that was published before may be so again."""
    template = locked(principal.organization, version.template)
    version = _current(principal.organization, version)
    if not version.texts.all():
        raise SaysNothing
    if version.published_at is None:
        version.published_at = clock.now()
        version.save(update_fields=["published_at"])
    if template.published_id != version.pk:
        before = template.published
        template.published = version
        template.save(update_fields=["published"])
        audit.record(
            principal.actor,
            "template.published",
            template,
            organization=principal.organization,
            changes={"version": (before and before.number, version.number)},
        )
    version.template = template
    return version


def locked(organization: Organization, template: Template) -> Template:
    """As it is now that nobody else can change it or its versions."""
    templates = Template.objects.for_organization(organization).select_related("organization", "published")
    found = templates.filter(pk=template.pk).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def _current(organization: Organization, version: TemplateVersion) -> TemplateVersion:
    versions = TemplateVersion.objects.for_organization(organization).select_related("template")
    found = versions.prefetch_related(TEXTS_IN_ORDER).filter(pk=version.pk).first()
    if found is None:
        raise NotFound
    return found


def _add(
    principal: Principal,
    template: Template,
    number: int,
    variables: Sequence[Variable],
    texts: Sequence[TemplateText],
) -> TemplateVersion:
    check_version(variables, texts)
    version = TemplateVersion.across_organizations.create(
        organization=principal.organization,
        template=template,
        number=number,
        variables=[variable.as_document() for variable in variables],
    )
    _write_texts(version, texts)
    audit.record(
        principal.actor,
        "template.drafted",
        template,
        organization=principal.organization,
        changes={"version": (None, number)},
    )
    return _current(principal.organization, version)


def _write_texts(version: TemplateVersion, texts: Sequence[TemplateText]) -> None:
    """Each anew: their ids are in the order in which they were given, and the first is the template's default."""
    TemplateText.across_organizations.bulk_create(
        TemplateText(
            organization_id=version.organization_id,
            version=version,
            **{name: getattr(text, name) for name in _OF_A_TEXT},
        )
        for text in texts
    )
