"""Add an endpoint, change it, give it another secret, disable and enable it, remove it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import SYSTEM, Principal
from apps.callbacks.engine.bell import BELL
from apps.callbacks.models import DisabledBecause, WebhookEndpoint
from apps.core import clock
from apps.core.addresses import TargetRefused, check_url
from apps.core.api.problems import Conflict, field_error
from apps.core.standard_webhooks import new_secret

MOST_OF_ONE_ORGANIZATION = 20
ROTATION_OVERLAP = timedelta(hours=24)
# An endpoint to which every call has failed for so long is disabled.
FAILING_FOR = timedelta(hours=24)
CHANGEABLE = ("url", "description", "event_types")
SECRETS = ("secret", "previous_secret")


class TooManyEndpoints(Conflict):
    default_code = "too_many_endpoints"
    default_detail = gettext_lazy("An organization has at most 20 webhook endpoints. Remove one first.")


class EndpointDisabled(Conflict):
    default_code = "endpoint_disabled"
    default_detail = gettext_lazy("This endpoint is disabled. Enable it first.")


@transaction.atomic
def add(principal: Principal, *, url: str, **values: Any) -> tuple[WebhookEndpoint, str]:
    """The new endpoint, and the secret that is shown this once."""
    _check(url)
    # One at a time: two that are added at once are both counted.
    Organization.objects.select_for_update(no_key=True).get(pk=principal.organization.pk)
    endpoints = WebhookEndpoint.objects.for_organization(principal.organization)
    if endpoints.count() >= MOST_OF_ONE_ORGANIZATION:
        raise TooManyEndpoints
    secret = new_secret()
    endpoint = WebhookEndpoint.across_organizations.create(
        organization=principal.organization, url=url, secret=secret, **values
    )
    audit.record(
        principal.actor,
        "webhook_endpoint.added",
        endpoint,
        organization=principal.organization,
        changes={name: (None, getattr(endpoint, name)) for name in CHANGEABLE},
    )
    return endpoint, secret


@transaction.atomic
def change(principal: Principal, endpoint: WebhookEndpoint, **values: Any) -> WebhookEndpoint:
    endpoint = _locked(principal, endpoint.pk)
    before = audit.snapshot(endpoint, CHANGEABLE)
    for field, value in values.items():
        setattr(endpoint, field, value)
    changes = audit.difference(before, endpoint)
    if "url" in changes:
        _check(endpoint.url)
    if changes:
        endpoint.save(update_fields=list(changes))
        _note(principal, "changed", endpoint, changes)
    return endpoint


@transaction.atomic
def rotate_secret(principal: Principal, endpoint: WebhookEndpoint) -> tuple[WebhookEndpoint, str]:
    """With the new secret, shown this once. For a day both sign: the receiver may follow in its own time."""
    endpoint = _locked(principal, endpoint.pk)
    secret = new_secret()
    until = clock.now() + ROTATION_OVERLAP
    WebhookEndpoint.objects.for_organization(principal.organization).filter(pk=endpoint.pk).update(
        previous_secret=F("secret"), previous_secret_until=until, secret=secret
    )
    endpoint.previous_secret_until = until
    _note(principal, "secret_rotated", endpoint, {"secret": ("[hidden]", "[hidden]")})
    return endpoint, secret


@transaction.atomic
def enable(principal: Principal, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """What waited for it leaves at once. Of what happened meanwhile it is not told."""
    endpoint = _locked(principal, endpoint.pk)
    if endpoint.is_enabled:
        return endpoint
    reason = endpoint.disabled_reason
    endpoint.is_enabled, endpoint.disabled_at, endpoint.disabled_reason = True, None, ""
    endpoint.first_failed_at = endpoint.notice_due_at = None
    endpoint.save(
        update_fields=["is_enabled", "disabled_at", "disabled_reason", "first_failed_at", "notice_due_at"]
    )
    _note(principal, "enabled", endpoint, {"disabled_reason": (reason, None)})
    BELL.ring_on_commit()
    return endpoint


@transaction.atomic
def disable(principal: Principal, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """What waits for it goes on waiting; what is under way arrives."""
    endpoint = _locked(principal, endpoint.pk)
    if not endpoint.is_enabled:
        return endpoint
    endpoint.is_enabled = False
    endpoint.disabled_at, endpoint.disabled_reason = clock.now(), DisabledBecause.MANUAL
    endpoint.save(update_fields=["is_enabled", "disabled_at", "disabled_reason"])
    _note(principal, "disabled", endpoint, {"disabled_reason": (None, DisabledBecause.MANUAL)})
    return endpoint


@transaction.atomic
def disable_by_itself(endpoint_id: UUID, reason: DisabledBecause) -> bool:
    """Because of how it answers. Its people are told by mail. False when there was nothing to disable any more."""
    now = clock.now()
    enabled = WebhookEndpoint.across_organizations.filter(pk=endpoint_id, is_enabled=True)
    if reason is DisabledBecause.FAILING:
        # Somebody may have enabled it since, with all forgiven.
        enabled = enabled.filter(first_failed_at__lte=now - FAILING_FOR)
    if not enabled.update(is_enabled=False, disabled_at=now, disabled_reason=reason, notice_due_at=now):
        return False
    endpoint = (
        WebhookEndpoint.across_organizations.select_related("organization").defer(*SECRETS).get(pk=endpoint_id)
    )
    changes = {"disabled_reason": (None, reason), "failing_since": (None, endpoint.first_failed_at)}
    audit.record(
        SYSTEM, "webhook_endpoint.disabled", endpoint, organization=endpoint.organization, changes=changes
    )
    return True


@transaction.atomic
def remove(principal: Principal, endpoint: WebhookEndpoint) -> None:
    endpoint = _locked(principal, endpoint.pk)
    _note(principal, "removed", endpoint, {})
    endpoint.delete()


def why_not(url: str) -> str | None:
    """What speaks against calling it. Where the name leads is checked at every call."""
    networks = settings.OUTBOUND_ALLOWED_NETWORKS
    try:
        # Plain HTTP only where addresses of one's own are allowed, as for providers.
        check_url(url, networks, allow_http=bool(networks))
    except TargetRefused as refused:
        return _("This cannot be called: %(reason)s.") % {"reason": refused.reason}
    return None


def _check(url: str) -> None:
    if reason := why_not(url):
        raise field_error("url", "target_refused", reason)


def _locked(principal: Principal, endpoint_id: UUID) -> WebhookEndpoint:
    """As it is now that nobody else can change it, without its secrets."""
    endpoints = WebhookEndpoint.objects.for_organization(principal.organization).defer(*SECRETS)
    found = endpoints.filter(pk=endpoint_id).select_for_update(no_key=True).first()
    if found is None:
        raise NotFound
    return found


def _note(principal: Principal, verb: str, endpoint: WebhookEndpoint, changes: dict[str, tuple[Any, Any]]) -> None:
    audit.record(
        principal.actor,
        f"webhook_endpoint.{verb}",
        endpoint,
        organization=principal.organization,
        changes=changes,
    )
