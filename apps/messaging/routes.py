"""Add, change and remove routes: rules by which what comes in on one account goes on over another."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.channels import addresses
from apps.channels.registry import connector_class
from apps.core.api.problems import Conflict, field_error
from apps.messaging.models import Route

CHANGEABLE = ("name", "source_account", "source_conversation", "target_account", "target_address", "is_active")
# Of one account: each message that comes in goes on by all of them.
MOST_OF_AN_ACCOUNT = 20


class NameTaken(Conflict):
    default_code = "name_taken"
    default_detail = gettext_lazy("Another route has this name.")


@transaction.atomic
def add(principal: Principal, **values: Any) -> Route:
    route = Route(organization=principal.organization, **values)
    check(route)
    _save(route)
    audit.record(
        principal.actor,
        "route.added",
        route,
        organization=principal.organization,
        changes={"target_address": (None, route.target_address)},
    )
    return route


@transaction.atomic
def change(principal: Principal, route: Route, **values: Any) -> Route:
    before = audit.snapshot(route, CHANGEABLE)
    for name, value in values.items():
        setattr(route, name, value)
    check(route)
    changes = audit.difference(before, route)
    if changes:
        _save(route)
        audit.record(principal.actor, "route.changed", route, organization=principal.organization, changes=changes)
    return route


@transaction.atomic
def remove(principal: Principal, route: Route) -> None:
    audit.record(
        principal.actor,
        "route.removed",
        route,
        organization=principal.organization,
        changes={"target_address": (route.target_address, None)},
    )
    route.delete()


def check(route: Route) -> None:
    """What the parts of a route say together. Raises errors that name the field."""
    source = connector_class(route.source_account.connector)
    if not source.capabilities.hears_replies:
        raise field_error("source_account_id", "hears_nothing", _("Nothing ever comes in on this channel."))
    conversation = route.source_conversation
    if conversation is not None and conversation.account_id != route.source_account_id:
        detail = _("This conversation is not one of the account that it comes in on.")
        raise field_error("source_conversation_id", "other_account", detail)
    kind = connector_class(route.target_account.connector).capabilities.address
    route.target_address = addresses.normalized(route.target_address)
    if not addresses.is_possible(kind, route.target_address):
        raise field_error("target_address", "bad_address", addresses.what_is_wrong(kind))
    if conversation is not None and (route.target_account_id, route.target_address) == (
        conversation.account_id,
        conversation.address,
    ):
        raise field_error("target_address", "goes_round", _("It would go back to where it comes from."))
    others = Route.objects.for_organization(route.organization).filter(source_account=route.source_account)
    if others.exclude(pk=route.pk).count() >= MOST_OF_AN_ACCOUNT:
        detail = _("At most %(most)d routes start at one account.") % {"most": MOST_OF_AN_ACCOUNT}
        raise field_error("source_account_id", "too_many", detail)


def _save(route: Route) -> None:
    try:
        with transaction.atomic():
            route.save()
    except IntegrityError as error:
        if "route_name" in str(error):
            raise NameTaken from error
        raise
