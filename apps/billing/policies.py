"""Write reminder policies, put them live, stop them. What has not gone yet is planned anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.billing.models import ReminderPolicy, ReminderRule
from apps.billing.policy_checks import check
from apps.core import clock
from apps.core.api.problems import Conflict

CHANGEABLE = (
    "name", "position", "accounts", "delivered_within", "send_at", "days_off", "quiet_hours", "most_a_day",
    "most_a_week", "joins_invoices", "late", "least_amount", "most_amount", "tags", "except_tags", "customers",
    "result_days",
)  # fmt: skip
OF_A_RULE = (
    "anchor", "offset", "unit", "repeat_every", "repeat_until", "template", "channel_templates",
)  # fmt: skip
# Before the first invoice of all.
FROM_THE_FIRST = UUID(int=0)


class NameTaken(Conflict):
    default_code = "name_taken"
    default_detail = gettext_lazy("Another policy has this name.")


@dataclass(frozen=True, slots=True)
class WantedRule:
    """`id` is that of a rule which the policy has, and which is to stay the same one."""

    values: Mapping[str, Any]
    id: UUID | None = None


@transaction.atomic
def add(principal: Principal, rules: Sequence[WantedRule], **values: Any) -> ReminderPolicy:
    policy = ReminderPolicy(organization=principal.organization, **values)
    wanted = [ReminderRule(organization=principal.organization, policy=policy, **rule.values) for rule in rules]
    check(policy, wanted)
    _save(policy)
    ReminderRule.across_organizations.bulk_create(wanted)
    _record(principal, policy, "added", {"name": (None, policy.name)})
    return policy


@transaction.atomic
def change(
    principal: Principal, policy: ReminderPolicy, rules: Sequence[WantedRule] | None = None, **values: Any
) -> ReminderPolicy:
    """Rules that are not named any more go; what a rule reminded of before, it does not remind of again."""
    policy = _locked(principal.organization, policy)
    before = audit.snapshot(policy, CHANGEABLE)
    for name, value in values.items():
        setattr(policy, name, value)
    had = list(ReminderRule.objects.for_organization(principal.organization).filter(policy=policy))
    wanted = had if rules is None else _rules(policy, {rule.id: rule for rule in had}, rules)
    check(policy, wanted)
    changes = audit.difference(before, policy)
    if rules is not None:
        changes |= _keep(had, wanted)
    if changes:
        _plan_anew(policy)
        _save(policy)
        _record(principal, policy, "changed", changes)
    return policy


def go_live(principal: Principal, policy: ReminderPolicy) -> ReminderPolicy:
    """From now on. What was to be said before is not said any more."""
    return _set_live(principal, policy, is_live=True)


def stop(principal: Principal, policy: ReminderPolicy) -> ReminderPolicy:
    """Also what waits to be sent is not sent."""
    return _set_live(principal, policy, is_live=False)


@transaction.atomic
def remove(principal: Principal, policy: ReminderPolicy) -> None:
    policy = _locked(principal.organization, policy)
    _record(principal, policy, "removed", {"name": (policy.name, None)})
    # Others may fit now what followed this one.
    for other in ReminderPolicy.objects.for_organization(principal.organization).exclude(pk=policy.pk)[:1]:
        _plan_anew(other)
        other.save(update_fields=["anew_after"])
    policy.delete()


@transaction.atomic
def _set_live(principal: Principal, policy: ReminderPolicy, *, is_live: bool) -> ReminderPolicy:
    policy = _locked(principal.organization, policy)
    if policy.is_live == is_live:
        return policy
    if is_live:
        check(policy, list(policy.rules.all()))
    policy.live_since = clock.now() if is_live else None
    _plan_anew(policy)
    policy.save(update_fields=["live_since", "anew_after"])
    _record(principal, policy, "put_live" if is_live else "stopped", {"is_live": (not is_live, is_live)})
    return policy


def _locked(organization: Organization, policy: ReminderPolicy) -> ReminderPolicy:
    return ReminderPolicy.objects.for_organization(organization).select_for_update(no_key=True).get(pk=policy.pk)


def _plan_anew(policy: ReminderPolicy) -> None:
    """The planner goes through the organization's invoices, some at a time (planner/anew.py)."""
    policy.anew_after = FROM_THE_FIRST


def _rules(
    policy: ReminderPolicy, had: Mapping[UUID, ReminderRule], wanted: Sequence[WantedRule]
) -> list[ReminderRule]:
    rules = []
    for each in wanted:
        known = had.get(each.id) if each.id else None
        fresh = ReminderRule(organization_id=policy.organization_id, policy=policy, **each.values)
        if known is not None:
            fresh.id = known.id
        rules.append(fresh)
    return rules


def _keep(had: Sequence[ReminderRule], wanted: Sequence[ReminderRule]) -> dict[str, tuple[Any, Any]]:
    """Writes what differs."""
    before = {rule.id: audit.snapshot(rule, OF_A_RULE) for rule in had}
    staying = {rule.id for rule in wanted}
    gone = [rule for rule in had if rule.id not in staying]
    new = [rule for rule in wanted if rule.id not in before]
    changed = [rule for rule in wanted if rule.id in before and audit.snapshot(rule, OF_A_RULE) != before[rule.id]]
    if gone:
        ReminderRule.across_organizations.filter(pk__in=[rule.pk for rule in gone]).delete()
    ReminderRule.across_organizations.bulk_create(new)
    ReminderRule.across_organizations.bulk_update(changed, OF_A_RULE)
    if not (gone or new or changed):
        return {}
    return {"rules": ([str(rule) for rule in had], [str(rule) for rule in wanted])}


def _save(policy: ReminderPolicy) -> None:
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError as error:
        if "reminder_policy_name" in str(error):
            raise NameTaken from error
        raise


def _record(
    principal: Principal, policy: ReminderPolicy, verb: str, changes: Mapping[str, tuple[Any, Any]]
) -> None:
    audit.record(
        principal.actor,
        f"reminder_policy.{verb}",
        policy,
        organization=principal.organization,
        changes=changes,
    )
