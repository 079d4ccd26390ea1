"""Whether a policy can be carried out: asked when it is saved, so that it need not be found out at night."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.billing.dates import quiet
from apps.billing.models import Anchor, ReminderPolicy, ReminderRule, Unit
from apps.billing.planner.words import OFFERED
from apps.channels.models import ChannelAccount
from apps.channels.registry import NAMES
from apps.messaging.models import Template
from apps.messaging.wording.variables import declared_by

MOST_ACCOUNTS = 6
MOST_RULES = 30
MOST_NAMED = 1_000
LONGEST_DAYS = 730

type Mistakes = dict[str, list[ErrorDetail]]


def check(policy: ReminderPolicy, rules: Sequence[ReminderRule]) -> None:
    """Raises ValidationError, which names every part that is wrong."""
    mistakes: Mistakes = {}
    _check_accounts(policy, mistakes)
    _check_conditions(policy, mistakes)
    try:
        quiet.read(policy.quiet_hours)
    except quiet.BadQuietHours as bad:
        _note(mistakes, bad.field, "invalid", bad.detail)
    if not rules:
        _note(mistakes, "rules", "required", _("Say at least once when people are reminded."))
    elif len(rules) > MOST_RULES:
        _note(mistakes, "rules", "max_length", _("At most %(most)d of them.") % {"most": MOST_RULES})
    else:
        for n, rule in enumerate(rules):
            _check_rule(rule, f"rules/{n}", mistakes)
        _check_templates(policy, rules, mistakes)
    if mistakes:
        raise ValidationError(mistakes)


def _check_accounts(policy: ReminderPolicy, mistakes: Mistakes) -> None:
    if not policy.accounts:
        _note(mistakes, "accounts", "required", _("Choose at least one channel account to send over."))
        return
    if len(policy.accounts) > MOST_ACCOUNTS or len(set(policy.accounts)) < len(policy.accounts):
        _note(mistakes, "accounts", "invalid", _("At most %(most)d, each once.") % {"most": MOST_ACCOUNTS})
        return
    known = set(
        ChannelAccount.objects.for_organization(policy.organization)
        .filter(pk__in=policy.accounts)
        .values_list("pk", flat=True)
    )
    for n, account_id in enumerate(policy.accounts):
        if account_id not in known:
            _note(mistakes, f"accounts/{n}", "unknown_account", _("There is no such channel account."))


def _check_conditions(policy: ReminderPolicy, mistakes: Mistakes) -> None:
    least, most = policy.least_amount, policy.most_amount
    if least is not None and most is not None and least > most:
        _note(mistakes, "most_amount", "invalid", _("This is less than the amount from which it is for."))
    if both := sorted(set(policy.tags) & set(policy.except_tags)):
        detail = _("No invoice has and lacks a tag at once: %(tags)s.") % {"tags": ", ".join(both)}
        _note(mistakes, "except_tags", "invalid", detail)
    if policy.most_a_day > policy.most_a_week:
        _note(mistakes, "most_a_week", "invalid", _("This is less than what is allowed in a day."))
    for name in ("tags", "except_tags", "customers"):
        if len(getattr(policy, name)) > MOST_NAMED:
            _note(mistakes, name, "max_length", _("At most %(most)d of them.") % {"most": MOST_NAMED})


def _check_rule(rule: ReminderRule, place: str, mistakes: Mistakes) -> None:
    longest = LONGEST_DAYS * (24 if rule.unit == Unit.HOURS else 1)
    if abs(rule.offset) > longest:
        detail = _("At most %(most)d, before or after.") % {"most": longest}
        _note(mistakes, f"{place}/offset", "invalid", detail)
    if rule.anchor == Anchor.PAID and rule.offset < 0:
        detail = _("Nobody knows of a payment before it comes: count from 0 up.")
        _note(mistakes, f"{place}/offset", "invalid", detail)
    if (rule.repeat_every is None) != (rule.repeat_until is None):
        detail = _("What repeats has a step and an end: give both, or neither.")
        _note(mistakes, f"{place}/repeat_until", "invalid", detail)
    elif rule.repeat_every is not None and rule.repeat_until is not None:
        if rule.repeat_every < 1:
            _note(mistakes, f"{place}/repeat_every", "invalid", _("At least 1."))
        if not rule.offset < rule.repeat_until <= longest:
            _note(mistakes, f"{place}/repeat_until", "invalid", _("The end lies after the first of them."))
    for connector in rule.channel_templates:
        if connector not in NAMES:
            detail = _("This must be one of: %(known)s.") % {"known": ", ".join(sorted(NAMES))}
            _note(mistakes, f"{place}/channel_templates", "invalid_choice", detail)


def _check_templates(policy: ReminderPolicy, rules: Sequence[ReminderRule], mistakes: Mistakes) -> None:
    """Each is published, and asks for nothing that an invoice has not."""
    named = [(f"rules/{n}/template", rule.template) for n, rule in enumerate(rules)] + [
        (f"rules/{n}/channel_templates", str(name))
        for n, rule in enumerate(rules)
        for name in rule.channel_templates.values()
    ]
    templates = (
        Template.objects.for_organization(policy.organization)
        .filter(name__in={name for _place, name in named}, archived_at=None)
        .select_related("published")
    )
    known = {template.name: template for template in templates}
    for place, name in named:
        template = known.get(name)
        if template is None:
            detail = _("There is no template %(name)s, or it is archived.") % {"name": name}
            _note(mistakes, place, "unknown_template", detail)
        elif template.published is None:
            detail = _("No version of %(name)s is published yet.") % {"name": name}
            _note(mistakes, place, "not_published", detail)
        else:
            for variable in declared_by(template.published):
                if OFFERED.get(variable.name) == variable.type:
                    continue
                if variable.name not in OFFERED and not variable.is_required:
                    continue
                detail = _("No invoice has the variable %(variable)s (%(type)s). Known: %(known)s.") % {
                    "variable": variable.name,
                    "type": variable.type.value,
                    "known": ", ".join(f"{name} ({kind.value})" for name, kind in OFFERED.items()),
                }
                _note(mistakes, place, "unknown_variable", detail)


def _note(mistakes: Mistakes, pointer: str, code: str, detail: str) -> None:
    mistakes.setdefault(pointer, []).append(ErrorDetail(detail, code=code))
