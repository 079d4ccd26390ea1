"""Labels, by which an organization sorts its conversations."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.core.api.problems import Conflict
from apps.messaging.models import ConversationLabel, Label

MOST_LABELS = 100
COLOR = r"^#[0-9a-fA-F]{6}$"
CHANGEABLE = ("name", "color")


class LabelNameTaken(Conflict):
    default_code = "name_taken"
    default_detail = _("Another label has this name.")


class TooManyLabels(Conflict):
    default_code = "too_many_labels"
    default_detail = _("An organization has at most a hundred labels. Delete one that is not needed any more.")


@transaction.atomic
def add(principal: Principal, *, name: str, color: str) -> Label:
    # One after another, so that there are never more than there may be.
    organization = Organization.objects.select_for_update(no_key=True).get(pk=principal.organization.pk)
    if Label.objects.for_organization(organization).count() >= MOST_LABELS:
        raise TooManyLabels
    label = Label(organization=organization, name=name, color=color.lower())
    _save(label)
    changes = {"name": (None, label.name), "color": (None, label.color)}
    audit.record(principal.actor, "label.added", label, organization=organization, changes=changes)
    return label


@transaction.atomic
def change(principal: Principal, label: Label, **values: str) -> Label:
    before = audit.snapshot(label, CHANGEABLE)
    for name, value in values.items():
        setattr(label, name, value.lower() if name == "color" else value)
    changes = audit.difference(before, label)
    if changes:
        _save(label)
        audit.record(principal.actor, "label.changed", label, organization=principal.organization, changes=changes)
    return label


@transaction.atomic
def remove(principal: Principal, label: Label) -> None:
    """From all conversations that have it, too."""
    changes = {"name": (label.name, None)}
    audit.record(principal.actor, "label.removed", label, organization=principal.organization, changes=changes)
    label.delete()


def _save(label: Label) -> None:
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError as error:
        raise LabelNameTaken from error


def mark(organization: Organization, conversations: Sequence[UUID], name: str, color: str) -> None:
    """In Recado's own name: with a label that is made where it is missing."""
    labels = Label.objects.for_organization(organization)
    label = labels.filter(name=name).first()
    if label is None:
        new = Label(organization=organization, name=name, color=color)
        Label.across_organizations.bulk_create([new], ignore_conflicts=True)
        label = labels.get(name=name)
    ConversationLabel.across_organizations.bulk_create(
        [
            ConversationLabel(organization=organization, conversation_id=conversation, label=label)
            for conversation in sorted(set(conversations))
        ],
        ignore_conflicts=True,
    )


def unmark(organization: Organization, conversations: Sequence[UUID], name: str) -> None:
    hung = ConversationLabel.objects.for_organization(organization)
    hung.filter(conversation__in=conversations, label__name=name).delete()
