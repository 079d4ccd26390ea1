"""Add a channel account, change it, pause or drain it, and let it go on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM, Principal
from apps.channels.connector import Connector
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector, connector_class
from apps.channels.rules import check_credentials, check_limits
from apps.channels.signals import account_resumed
from apps.core import clock
from apps.core.api.problems import Conflict

CHANGEABLE = (
    "name",
    "rate_per_second",
    "burst",
    "recipient_rate_per_second",
    "recipient_burst",
    "daily_quota",
    "breaker_failures",
    "breaker_seconds",
    "retry_attempts",
    "retry_base_ms",
    "ordering",
    "on_unknown",
    "unknown_wait",
    "reply_window",
)

_OF_PAUSE = ("paused_at", "paused_until", "pause_reason", "is_refused")
_OF_DRAIN = ("draining_at", "draining_until", "drain_reason")


class NameTaken(Conflict):
    default_code = "name_taken"
    default_detail = _("Another channel account has this name.")


@transaction.atomic
def add(
    principal: Principal, *, connector: str, name: str, credentials: Mapping[str, str], **policy: Any
) -> ChannelAccount:
    """What `policy` does not say starts at the provider's limits and the installation's resilience settings."""
    kind = connector_class(connector)
    checked = check_credentials(kind, credentials)
    recipient = kind.limits.recipient
    defaults = {
        "rate_per_second": kind.limits.account.rate,
        "burst": kind.limits.account.burst,
        "recipient_rate_per_second": recipient and recipient.rate,
        "recipient_burst": recipient and recipient.burst,
    }
    account = ChannelAccount(
        organization=principal.organization,
        connector=connector,
        name=name,
        credentials=_sealed(checked),
        provider_account=_provider_account(kind, checked),
        challenge_digest=_challenge_digest(connector, checked.get(kind.challenge_credential, "")),
        **{**defaults, **policy},
    )
    check_limits(account)
    _save(account, force_insert=True)
    audit.record(
        principal.actor,
        "channel_account.added",
        account,
        organization=principal.organization,
        changes={"connector": (None, connector), "provider_account": (None, account.provider_account)},
    )
    return account


@transaction.atomic
def change(
    principal: Principal, account: ChannelAccount, *, credentials: Mapping[str, str] | None = None, **values: Any
) -> ChannelAccount:
    """New credentials may name some of the fields; the others stay as they are."""
    account = locked(principal.organization, account.pk)
    before = audit.snapshot(account, [*CHANGEABLE, "credentials", "provider_account"])
    for field, value in values.items():
        setattr(account, field, value)
    if credentials:
        kind = connector_class(account.connector)
        checked = check_credentials(kind, {**account.credential_values, **credentials})
        account.credentials = _sealed(checked)
        account.provider_account = _provider_account(kind, checked)
        account.challenge_digest = _challenge_digest(account.connector, checked.get(kind.challenge_credential, ""))
    changes = audit.difference(before, account)
    check_limits(account)
    if changes:
        account.version += 1
        _save(account)
        audit.record(
            principal.actor,
            "channel_account.changed",
            account,
            organization=principal.organization,
            changes=changes,
        )
        _ring_after_commit(account)
    return account


@transaction.atomic
def pause(
    principal: Principal, account: ChannelAccount, *, reason: str, until: datetime | None = None
) -> ChannelAccount:
    """Messages go on being accepted, and wait. Those that are at the provider are followed to their end.

    An account that drains goes on refusing new ones, and sends those it has once it is resumed.
    """
    account = locked(principal.organization, account.pk)
    account.paused_at, account.paused_until, account.pause_reason = clock.now(), until, reason
    account.is_refused = False
    account.version += 1
    account.save(update_fields=[*_OF_PAUSE, "version"])
    _record_stop(principal, "channel_account.paused", account, reason, until)
    return account


@transaction.atomic
def drain(
    principal: Principal, account: ChannelAccount, *, reason: str, until: datetime | None = None
) -> ChannelAccount:
    """No new messages are accepted, and those that wait leave.

    A paused account stays paused: whoever held its messages back did not mean them to leave by this. The version
    stays, for to those who send nothing has changed.
    """
    account = locked(principal.organization, account.pk)
    account.draining_at, account.draining_until, account.drain_reason = clock.now(), until, reason
    account.save(update_fields=_OF_DRAIN)
    _record_stop(principal, "channel_account.draining", account, reason, until)
    return account


@transaction.atomic
def resume(principal: Principal, account: ChannelAccount, *, keep_draining: bool = False) -> ChannelAccount:
    """Ends the pause and, unless it is to go on draining, the drain."""
    account = locked(principal.organization, account.pk)
    was_paused = account.paused_at is not None
    ends_drain = account.draining_at is not None and not keep_draining
    changes: dict[str, tuple[object, object]] = {}
    changed: list[str] = []
    if was_paused:
        changes["reason"] = (account.pause_reason, None)
        account.paused_at, account.paused_until, account.pause_reason = None, None, ""
        account.is_refused = False
        account.version += 1
        changed += [*_OF_PAUSE, "version"]
    if ends_drain:
        changes["drain_reason"] = (account.drain_reason, None)
        account.draining_at, account.draining_until, account.drain_reason = None, None, ""
        changed += _OF_DRAIN
    if changed:
        account.save(update_fields=changed)
        audit.record(
            principal.actor,
            "channel_account.resumed",
            account,
            organization=principal.organization,
            changes=changes,
        )
    if was_paused:
        _ring_after_commit(account)
    return account


@transaction.atomic
def pause_because_rejected(account_id: UUID, version: int, reason: str) -> bool:
    """The provider refuses the account itself. False when somebody changed the account since that attempt."""
    now = clock.now()
    live = Q(paused_at=None) | Q(paused_until__lte=now)
    accounts = ChannelAccount.across_organizations.filter(live, pk=account_id, version=version)
    paused = accounts.update(
        paused_at=now, paused_until=None, pause_reason=reason[:500], is_refused=True, version=F("version") + 1
    )
    if not paused:
        return False
    account = ChannelAccount.across_organizations.select_related("organization").get(pk=account_id)
    audit.record(
        SYSTEM,
        "channel_account.paused",
        account,
        organization=account.organization,
        changes={"reason": (None, reason)},
    )
    return True


def answer_to_challenge(name: str, query: Mapping[str, str]) -> str | None:
    """What a provider wants to hear when it asks whether our address is an account's; None if it is not."""
    asked = connector(name).challenge(query)
    if asked is None:
        return None
    shown, answer = asked
    digest = _challenge_digest(name, shown)
    accounts = ChannelAccount.across_organizations.filter(connector=name, challenge_digest=digest)
    return answer if digest and accounts.exists() else None


def locked(organization: Organization, account_id: UUID) -> ChannelAccount:
    """As it is now that nobody else can change it."""
    accounts = ChannelAccount.objects.for_organization(organization).select_related("organization")
    found = accounts.filter(pk=account_id).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def _record_stop(
    principal: Principal, action: str, account: ChannelAccount, reason: str, until: datetime | None
) -> None:
    audit.record(
        principal.actor,
        action,
        account,
        organization=principal.organization,
        changes={"reason": (None, reason), "until": (None, until)},
    )


def _provider_account(kind: type[Connector], credentials: Mapping[str, str]) -> str:
    return credentials[kind.provider_account] if kind.provider_account else ""


def _challenge_digest(name: str, shown: str) -> str:
    """Keyed: whoever reads the database learns no token, and looking one up takes the same time for all."""
    return salted_hmac(f"recado.challenge.{name}", shown, algorithm="sha256").hexdigest() if shown else ""


def _sealed(credentials: Mapping[str, str]) -> str:
    return orjson.dumps(credentials, option=orjson.OPT_SORT_KEYS).decode()


def _save(account: ChannelAccount, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            account.save(force_insert=force_insert)
    except IntegrityError as error:
        if "channel_account_name" in str(error):
            raise NameTaken from error
        raise


def _ring_after_commit(account: ChannelAccount) -> None:
    # Robust: the change is made, whatever becomes of those who are told.
    transaction.on_commit(lambda: account_resumed.send(sender=ChannelAccount, account_id=account.pk), robust=True)
