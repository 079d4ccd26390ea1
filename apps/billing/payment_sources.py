"""Who may tell us of payments: add a source, give it another secret, remove it; and is it who calls?"""

import hmac
from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.models.audit_event import ActorKind
from apps.accounts.principal import Actor, Principal
from apps.billing.models import PaymentSource
from apps.core import clock, standard_webhooks
from apps.core.api.problems import Conflict

MOST_OF_ONE_ORGANIZATION = 20
# How far its clock and ours may be apart.
TOLERANCE_SECONDS = 5 * 60
LONGEST_ID = 100
# While one secret takes another's place, a call may be signed with several.
MOST_SIGNATURES = 10


class TooManySources(Conflict):
    default_code = "too_many_payment_sources"
    default_detail = gettext_lazy("An organization has at most 20 payment sources. Remove one first.")


class NameTaken(Conflict):
    default_code = "name_taken"
    default_detail = gettext_lazy("There is a payment source with this name.")


@transaction.atomic
def add(principal: Principal, *, name: str) -> tuple[PaymentSource, str]:
    """The new source, and the secret that is shown this once."""
    # One at a time: two that are added at once are both counted.
    Organization.objects.select_for_update(no_key=True).get(pk=principal.organization.pk)
    if PaymentSource.objects.for_organization(principal.organization).count() >= MOST_OF_ONE_ORGANIZATION:
        raise TooManySources
    secret = standard_webhooks.new_secret()
    source = PaymentSource(organization=principal.organization, name=name, secret=secret)
    _save(source, is_new=True)
    _note(principal, "added", source, {"name": (None, name)})
    return source, secret


@transaction.atomic
def rename(principal: Principal, source: PaymentSource, *, name: str) -> PaymentSource:
    source = _locked(principal, source.pk)
    if source.name != name:
        changes = {"name": (source.name, name)}
        source.name = name
        _save(source, is_new=False)
        _note(principal, "changed", source, changes)
    return source


@transaction.atomic
def rotate_secret(principal: Principal, source: PaymentSource) -> tuple[PaymentSource, str]:
    """With the new secret, shown this once. The old one signs nothing any more."""
    source = _locked(principal, source.pk)
    secret = standard_webhooks.new_secret()
    PaymentSource.objects.for_organization(principal.organization).filter(pk=source.pk).update(secret=secret)
    _note(principal, "secret_rotated", source, {"secret": ("[hidden]", "[hidden]")})
    return source, secret


@transaction.atomic
def remove(principal: Principal, source: PaymentSource) -> None:
    source = _locked(principal, source.pk)
    _note(principal, "removed", source, {})
    source.delete()


def actor_of(source: PaymentSource) -> Actor:
    """As the trail names who told of a payment."""
    return Actor(ActorKind.SYSTEM, source.pk, source.name)


def has_signed(source: PaymentSource, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether it was this source that said this, and just now."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not 1 <= len(message_id) <= LONGEST_ID or not message_id.isascii() or not message_id.isprintable():
        return False
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = standard_webhooks.headers([source.secret], message_id, int(timestamp), body)
    expected = signed["webhook-signature"].encode()
    given = headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]
    # All of them are compared, and each to its end.
    return any([hmac.compare_digest(expected, each.encode()) for each in given])  # noqa: C419


def _save(source: PaymentSource, *, is_new: bool) -> None:
    try:
        with transaction.atomic():
            source.save(force_insert=is_new, update_fields=None if is_new else ["name"])
    except IntegrityError as error:
        raise NameTaken from error


def _locked(principal: Principal, source_id: UUID) -> PaymentSource:
    sources = PaymentSource.objects.for_organization(principal.organization).defer("secret")
    found = sources.filter(pk=source_id).select_for_update(no_key=True).first()
    if found is None:
        raise NotFound
    return found


def _note(
    principal: Principal, verb: str, source: PaymentSource, changes: Mapping[str, tuple[str | None, str]]
) -> None:
    audit.record(
        principal.actor, f"payment_source.{verb}", source, organization=principal.organization, changes=changes
    )
