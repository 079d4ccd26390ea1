"""Write a flow, publish its questions, put it live and stop it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound, PermissionDenied

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core import clock
from apps.core.addresses import TargetRefused, check_url
from apps.core.api.problems import Conflict, field_error
from apps.registration import definition
from apps.registration.conversation.advance import OPENING
from apps.registration.conversation.say import say
from apps.registration.conversation.state import State
from apps.registration.models import FlowVersion, Registration, RegistrationFlow, RegistrationState
from apps.registration.understanding.rules.normalizing import compact

CHANGEABLE = (
    "name", "position", "accounts", "keywords", "starts_by_intent", "remind_after", "close_after", "redact_after",
    "keep_days", "told_by", "told_at",
)  # fmt: skip
MOST_ACCOUNTS = 20
MOST_KEYWORDS = 20
_WEBHOOK = "webhook"


class NameTaken(Conflict):
    default_code = "name_taken"
    default_detail = gettext_lazy("Another registration flow has this name.")


class NotPublished(Conflict):
    default_code = "not_published"
    default_detail = gettext_lazy("Publish its questions first.")


class InUse(Conflict):
    default_code = "in_use"
    default_detail = gettext_lazy("People were registered by it: it can be stopped, but not removed.")


@transaction.atomic
def add(principal: Principal, **values: Any) -> RegistrationFlow:
    flow = RegistrationFlow(organization=principal.organization, **values)
    _check_telling(principal, None, flow)
    check(flow)
    _save(flow)
    _record(principal, "added", flow)
    return flow


@transaction.atomic
def change(principal: Principal, flow: RegistrationFlow, **values: Any) -> RegistrationFlow:
    flow = _locked(principal, flow.pk)
    before, told = audit.snapshot(flow, CHANGEABLE), (flow.told_by, flow.told_at)
    for name, value in values.items():
        setattr(flow, name, value)
    _check_telling(principal, told, flow)
    check(flow)
    if "accounts" in values:
        _check_opening(flow, "accounts")
    changes = audit.difference(before, flow)
    if changes:
        _save(flow)
        _record(principal, "changed", flow, **changes)
    return flow


@transaction.atomic
def publish(principal: Principal, flow: RegistrationFlow, document: Any) -> FlowVersion:
    """Whoever is in the middle of it goes on as they began."""
    try:
        definition.read(document)
    except definition.BadDefinition as bad:
        raise field_error(bad.pointer or "definition", bad.code, bad.detail) from bad
    flow = _locked(principal, flow.pk)
    latest = FlowVersion.objects.for_organization(principal.organization).filter(flow=flow).order_by("-number")
    last = latest.values_list("number", flat=True).first() or 0
    version = FlowVersion.across_organizations.create(
        organization=principal.organization,
        flow=flow,
        number=last + 1,
        definition=document,
        published_at=clock.now(),
    )
    flow.published = version
    _check_opening(flow, "texts")
    flow.save(update_fields=["published"])
    _record(principal, "published", flow, version=(last or None, version.number))
    return version


@transaction.atomic
def go_live(principal: Principal, flow: RegistrationFlow) -> RegistrationFlow:
    flow = _locked(principal, flow.pk)
    if flow.published_id is None:
        raise NotPublished
    return _set_live(principal, flow, is_live=True)


@transaction.atomic
def stop(principal: Principal, flow: RegistrationFlow) -> RegistrationFlow:
    """Nobody begins any more; who is in the middle of it goes on."""
    return _set_live(principal, _locked(principal, flow.pk), is_live=False)


@transaction.atomic
def remove(principal: Principal, flow: RegistrationFlow) -> None:
    _record(principal, "removed", flow)
    # Whoever begins at this moment is either seen below, or finds that there is no flow any more.
    flow = _locked(principal, flow.pk, is_going=True)
    if Registration.objects.for_organization(principal.organization).filter(flow=flow).exists():
        raise InUse
    RegistrationFlow.across_organizations.filter(pk=flow.pk).update(is_live=False, published=None)
    flow.delete()


def _check_telling(principal: Principal, before: tuple[UUID | None, str] | None, flow: RegistrationFlow) -> None:
    """Whoever says who is told of people could as well read them."""
    told = (flow.told_by, flow.told_at)
    if told != (before or (None, "")) and any(told) and not principal.may(Scope.PEOPLE_READ):
        detail = _("Who is told of people is set by those who may read them: this needs the scope %(scope)s.")
        raise PermissionDenied(detail % {"scope": Scope.PEOPLE_READ}, code="missing_scope")


def _check_opening(flow: RegistrationFlow, pointer: str) -> None:
    """What people agree to goes in one message, on each of the channels."""
    if flow.published is None:
        return
    asked = definition.read(flow.published.definition)
    for account in _accounts(flow, flow.accounts).values():
        longest = connector_class(account.connector).capabilities.longest_text
        for language in asked.languages:
            length = len(say(asked, language, State(RegistrationState.CONSENT), OPENING))
            if length > longest:
                detail = _(
                    "Welcome and consent are %(length)d characters long in %(language)s; %(account)s sends"
                    " %(longest)d at most."
                )
                said = {"length": length, "language": language, "account": account, "longest": longest}
                raise field_error(pointer, "too_long", detail % said)


def check(flow: RegistrationFlow) -> None:
    """Raises errors that name the field."""
    _check_accounts(flow)
    if len(flow.keywords) > MOST_KEYWORDS:
        raise field_error("keywords", "max_length", _("At most %(most)d of them.") % {"most": MOST_KEYWORDS})
    for n, keyword in enumerate(flow.keywords):
        if not compact(keyword):
            raise field_error(f"keywords/{n}", "invalid", _("A keyword has letters or digits."))
    if bool(flow.told_at) != bool(flow.told_by):
        detail = _("Give both the webhook account and the URL, or neither.")
        raise field_error("told_at" if flow.told_by else "told_by", "required", detail)
    if flow.told_by:
        _check_told(flow)


def _check_accounts(flow: RegistrationFlow) -> None:
    if len(flow.accounts) > MOST_ACCOUNTS or len(set(flow.accounts)) < len(flow.accounts):
        raise field_error("accounts", "invalid", _("At most %(most)d, each once.") % {"most": MOST_ACCOUNTS})
    known = _accounts(flow, flow.accounts)
    for n, account_id in enumerate(flow.accounts):
        account = known.get(account_id)
        if account is None:
            raise field_error(f"accounts/{n}", "unknown_account", _("There is no such channel account."))
        if not connector_class(account.connector).capabilities.hears_replies:
            raise field_error(f"accounts/{n}", "hears_nothing", _("Nothing ever comes in on this channel."))


def _check_told(flow: RegistrationFlow) -> None:
    account = _accounts(flow, [flow.told_by] if flow.told_by else []).get(flow.told_by)
    if account is None or account.connector != _WEBHOOK:
        raise field_error("told_by", "unknown_account", _("This is no account of yours that sends webhooks."))
    if not addresses.is_possible(AddressKind.URL, flow.told_at):
        raise field_error("told_at", "bad_address", addresses.what_is_wrong(AddressKind.URL))
    networks = settings.OUTBOUND_ALLOWED_NETWORKS
    try:
        check_url(flow.told_at, networks, allow_http=bool(networks))
    except TargetRefused as refused:
        detail = _("This cannot be called: %(reason)s.") % {"reason": refused.reason}
        raise field_error("told_at", "target_refused", detail) from refused


def _accounts(flow: RegistrationFlow, ids: Sequence[UUID]) -> dict[UUID | None, ChannelAccount]:
    found = ChannelAccount.objects.for_organization(flow.organization).filter(pk__in=ids)
    return {account.pk: account for account in found}


def _set_live(principal: Principal, flow: RegistrationFlow, *, is_live: bool) -> RegistrationFlow:
    if flow.is_live != is_live:
        flow.is_live = is_live
        flow.save(update_fields=["is_live"])
        _record(principal, "went_live" if is_live else "stopped", flow)
    return flow


def _save(flow: RegistrationFlow) -> None:
    try:
        with transaction.atomic():
            flow.save()
    except IntegrityError as error:
        if "registration_flow_name" in str(error):
            raise NameTaken from error
        raise


def _locked(principal: Principal, flow_id: UUID, *, is_going: bool = False) -> RegistrationFlow:
    """Nobody else changes it; where it is going, nobody begins by it either."""
    flows = RegistrationFlow.objects.for_organization(principal.organization).filter(pk=flow_id)
    found = flows.select_for_update(no_key=not is_going).first()
    if found is None:
        raise NotFound
    return found


def _record(principal: Principal, verb: str, flow: RegistrationFlow, **changes: tuple[Any, Any]) -> None:
    audit.record(
        principal.actor, f"registration_flow.{verb}", flow, organization=principal.organization, changes=changes
    )
