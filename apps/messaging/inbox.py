"""Conversations as work: who takes care of one, what has been read, how they are sorted, and the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.models import Membership, Organization
from apps.accounts.models.audit_event import ActorKind
from apps.accounts.principal import Principal
from apps.channels.registry import connector_class
from apps.core import clock
from apps.messaging.conversations import lock
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, NewMessage, Refused
from apps.messaging.models import Conversation, ConversationLabel, Label

# What is shown of a conversation beside its own row, in as many statements for one as for a page of them.
_SHOWN = ("account", "contact", "assignee__user")


@dataclass(frozen=True, slots=True)
class Window:
    """The time to reply, where the channel has one."""

    is_open: bool
    # None where the person never wrote.
    closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Changed:
    count: int
    # Those of the wanted ones that are not there.
    unknown: list[UUID]


def shown(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    labels = Prefetch("labels", queryset=Label.across_organizations.order_by("name"))
    return conversations.select_related(*_SHOWN).prefetch_related(labels)


def window_of(conversation: Conversation) -> Window | None:
    length = connector_class(conversation.account.connector).capabilities.reply_window
    if length is None:
        return None
    if conversation.last_inbound_at is None:
        return Window(is_open=False, closes_at=None)
    closes_at = conversation.last_inbound_at + length
    return Window(is_open=clock.now() < closes_at, closes_at=closes_at)


def membership_of(principal: Principal) -> Membership | None:
    """An API key is no member, and whoever runs the installation need not be one."""
    if principal.actor.kind != ActorKind.USER:
        return None
    members = Membership.objects.for_organization(principal.organization).select_related("user")
    return members.filter(user=principal.actor.id).first()


def member(organization: Organization, member_id: UUID | None) -> Membership | None:
    if member_id is None:
        return None
    members = Membership.objects.for_organization(organization).select_related("user")
    found = members.filter(pk=member_id).first()
    if found is None:
        raise NotFound(_("There is no such member."))
    return found


def labels_named(organization: Organization, ids: Sequence[UUID]) -> list[Label]:
    found = list(Label.objects.for_organization(organization).filter(pk__in=ids).order_by("name"))
    if len(found) < len(set(ids)):
        raise NotFound(_("There is no such label."))
    return found


@transaction.atomic
def assign(principal: Principal, conversation: Conversation, member_id: UUID | None) -> None:
    """To a member who takes care of it, or to nobody."""
    assignee = member(principal.organization, member_id)
    locked = _locked(principal, conversation)
    if locked.assignee_id != member_id:
        before = locked.assignee
        locked.assignee = assignee
        locked.save(update_fields=["assignee"])
        _record(principal, "assigned", locked, assignee=(before and str(before), assignee and str(assignee)))


@transaction.atomic
def mark_read(principal: Principal, conversation: Conversation) -> None:
    """For us: the person is told nothing."""
    locked = _locked(principal, conversation)
    if locked.unread_count:
        before, locked.unread_count = locked.unread_count, 0
        locked.save(update_fields=["unread_count"])
        _record(principal, "read", locked, unread_count=(before, 0))


@transaction.atomic
def set_labels(principal: Principal, conversation: Conversation, ids: Sequence[UUID]) -> None:
    """These, and no others."""
    wanted = {label.pk: label for label in labels_named(principal.organization, ids)}
    locked = _locked(principal, conversation)
    hung = ConversationLabel.objects.for_organization(principal.organization).filter(conversation=locked)
    before = {each.label_id: each.label for each in hung.select_related("label")}
    if before.keys() != wanted.keys():
        hung.exclude(label__in=wanted).delete()
        _hang(principal, [locked.pk], [label for pk, label in wanted.items() if pk not in before])
        _record(principal, "labelled", locked, labels=(_names(before.values()), _names(wanted.values())))


@transaction.atomic
def answer(principal: Principal, conversation: Conversation, text: str) -> Accepted | Refused:
    """A reply that a member writes by hand; whoever answers has read what there is."""
    (answered,) = accept(principal.organization, [NewMessage(text=text, conversation_id=conversation.pk)])
    if isinstance(answered, Accepted):
        mark_read(principal, conversation)
        _record(principal, "answered", conversation, message_id=(None, answered.id))
    return answered


def close_many(principal: Principal, ids: Sequence[UUID]) -> Changed:
    return _change_many(
        principal, ids, "closed", lambda rows: rows.filter(closed_at=None).update(closed_at=clock.now())
    )


def reopen_many(principal: Principal, ids: Sequence[UUID]) -> Changed:
    return _change_many(
        principal, ids, "reopened", lambda rows: rows.exclude(closed_at=None).update(closed_at=None)
    )


def read_many(principal: Principal, ids: Sequence[UUID]) -> Changed:
    return _change_many(
        principal, ids, "read", lambda rows: rows.filter(unread_count__gt=0).update(unread_count=0)
    )


def assign_many(principal: Principal, ids: Sequence[UUID], member_id: UUID | None) -> Changed:
    assignee = member(principal.organization, member_id)

    def change(rows: QuerySet[Conversation]) -> int:
        others = rows.exclude(assignee=None) if assignee is None else rows.exclude(assignee=assignee)
        return others.update(assignee=assignee)

    return _change_many(principal, ids, "assigned", change, assignee=assignee and str(assignee))


def label_many(principal: Principal, ids: Sequence[UUID], label_ids: Sequence[UUID]) -> Changed:
    """These are added to those that they have."""
    wanted = labels_named(principal.organization, label_ids)

    def change(rows: QuerySet[Conversation]) -> int:
        return _hang(principal, list(rows.values_list("pk", flat=True)), wanted)

    return _change_many(principal, ids, "labelled", change, labels=_names(wanted))


@transaction.atomic
def _change_many(
    principal: Principal,
    ids: Sequence[UUID],
    action: str,
    change: Callable[[QuerySet[Conversation]], int],
    **told: Any,
) -> Changed:
    rows = Conversation.objects.for_organization(principal.organization).filter(pk__in=ids)
    known = lock(rows)
    count = change(rows)
    if count:
        audit.record(
            principal.actor,
            f"conversations.{action}",
            principal.organization,
            organization=principal.organization,
            changes={"count": (None, count), **{name: (None, value) for name, value in told.items()}},
        )
    return Changed(count, sorted(set(ids) - set(known)))


def _locked(principal: Principal, conversation: Conversation) -> Conversation:
    """As it is now that nobody else can change it."""
    conversations = Conversation.objects.for_organization(principal.organization)
    found = conversations.select_for_update(no_key=True).filter(pk=conversation.pk).first()
    if found is None:
        raise NotFound
    return found


def _hang(principal: Principal, conversations: Sequence[UUID], labels: Sequence[Label]) -> int:
    """On how many of them at least one was not before."""
    wanted = {(conversation, label.pk) for conversation in conversations for label in labels}
    hung = ConversationLabel.objects.for_organization(principal.organization)
    there = hung.filter(conversation__in=conversations, label__in=labels).values_list("conversation", "label")
    missing = sorted(wanted - set(there))
    ConversationLabel.across_organizations.bulk_create(
        ConversationLabel(organization=principal.organization, conversation_id=conversation, label_id=label)
        for conversation, label in missing
    )
    return len({conversation for conversation, _ in missing})


def _names(labels: Any) -> list[str]:
    return sorted(label.name for label in labels)


def _record(principal: Principal, action: str, conversation: Conversation, **changes: tuple[Any, Any]) -> None:
    audit.record(
        principal.actor,
        f"conversation.{action}",
        conversation,
        organization=principal.organization,
        changes=changes,
    )
