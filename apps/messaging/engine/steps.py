"""The ways that a message may take after its first one, looked up when it is accepted: fallback.py takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Q, When
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels import addresses
from apps.channels.carrying import why_not
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core import clock
from apps.files.models import File
from apps.messaging.conversations import Place, Unplaced
from apps.messaging.engine import attach
from apps.messaging.engine.new_message import NewMessage, Refused, Step
from apps.messaging.models import ContactAddress


@dataclass(frozen=True, slots=True)
class _Known:
    """Of all messages of a batch, in two statements."""

    accounts: Mapping[UUID, ChannelAccount]
    # The oldest of a channel, of those that take new messages if there are any.
    by_channel: Mapping[str, ChannelAccount]
    # By contact and kind.
    reached_at: Mapping[tuple[UUID, str], str]
    files: Mapping[UUID, File]


def resolve(
    organization: Organization,
    wanted: Sequence[NewMessage],
    places: Sequence[Place | Unplaced],
    files: Mapping[UUID, File],
) -> Mapping[int, tuple[Mapping[str, Any], ...] | Refused]:
    """Of those that name any, as they are kept."""
    naming = {
        n: place
        for n, (message, place) in enumerate(zip(wanted, places, strict=True))
        if message.fallback and isinstance(place, Place)
    }
    known = _look_up(organization, [wanted[n] for n in naming], list(naming.values()), files)
    return {n: _resolve(wanted[n], place, known) for n, place in naming.items()}


def _look_up(
    organization: Organization,
    wanted: Sequence[NewMessage],
    places: Sequence[Place],
    files: Mapping[UUID, File],
) -> _Known:
    named = {step.account_id for message in wanted for step in message.fallback if step.account_id}
    channels = {step.channel for message in wanted for step in message.fallback if step.channel}
    accounts = ChannelAccount.objects.for_organization(organization)
    by_channel = (
        accounts.filter(connector__in=channels)
        .order_by("connector", _is_draining(clock.now()), "id")
        .distinct("connector")
    )
    reached = ContactAddress.objects.for_organization(organization).filter(
        contact__in={place.contact_id for place in places}
    )
    return _Known(
        accounts.in_bulk(named) if named else {},
        {account.connector: account for account in by_channel} if channels else {},
        {(contact, kind): value for contact, kind, value in reached.values_list("contact_id", "kind", "value")},
        files,
    )


def _is_draining(now: datetime) -> Case:
    drains = Q(draining_until=None, draining_at__isnull=False) | Q(draining_until__gt=now)
    return Case(When(drains, then=True), default=False)


def _resolve(message: NewMessage, place: Place, known: _Known) -> tuple[Mapping[str, Any], ...] | Refused:
    kept: list[Mapping[str, Any]] = []
    for n, step in enumerate(message.fallback):
        resolved = _resolve_step(message, step, place, known)
        if isinstance(resolved, Refused):
            return Refused(f"fallback/{n}/{resolved.field}", resolved.code, resolved.detail)
        kept.append(resolved)
    return tuple(kept)


def _resolve_step(message: NewMessage, step: Step, place: Place, known: _Known) -> Mapping[str, Any] | Refused:
    account = known.accounts.get(step.account_id) if step.account_id else known.by_channel.get(step.channel)
    if account is None:
        if step.account_id:
            return Refused("account_id", "unknown_account", _("There is no such channel account."))
        return Refused("channel", "unknown_account", _("There is no account for this channel. Add one first."))
    capabilities = connector_class(account.connector).capabilities
    own_kind = connector_class(place.connector).capabilities.address
    to = addresses.normalized(step.to) or known.reached_at.get((place.contact_id, capabilities.address), "")
    if not to and own_kind is capabilities.address:
        to = place.address
    if not to:
        detail = _("Nobody knows where to reach this person there. Give `to`.")
        return Refused("to", "required", detail)
    if not addresses.is_possible(capabilities.address, to):
        return Refused("to", "bad_address", addresses.what_is_wrong(capabilities.address))
    if message.template is None:
        said = attach.say(message, known.files, capabilities)
        wrong = said if isinstance(said, Refused) else why_not(capabilities, said)
        if wrong is not None:
            return Refused("", wrong.code, f"{wrong.field}: {wrong.detail}")
    kept: dict[str, Any] = {"account_id": str(account.id), "to": to}
    named = {"template": step.template or message.template, "template_fallback": message.template_fallback}
    for field, template in named.items():
        if template is not None:
            kept[field] = {
                "name": template.name,
                "variables": template.variables,
                "language": template.language,
                "version": template.version,
            }
    return kept
