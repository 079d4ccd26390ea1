"""What callers send about reminder policies."""

from datetime import time
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.billing import dry_run, preview, results
from apps.billing.models import Anchor, DaysOff, Late, ReminderPolicy, ReminderRule, Unit
from apps.billing.policies import WantedRule
from apps.billing.policy_checks import MOST_ACCOUNTS, MOST_NAMED, MOST_RULES
from apps.core.api.problems import field_error
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api.filters import Filters

_SMALL = 32_767
_CENTS = 10**15
# A channel and a state each.
_MOST_QUIET_HOURS = 300
# As quiet hours are written. (The `time` of JSON schemas has a zone.)
HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class RuleBody(StrictSerializer):
    id = serializers.UUIDField(
        required=False, help_text="Of a rule that stays: what it reminded of is not reminded of again."
    )
    anchor = serializers.ChoiceField(
        choices=Anchor.choices,
        required=False,
        help_text="`overdue` counts from the last day to pay in time, which days off postpone; `paid` thanks.",
    )
    offset = serializers.IntegerField(
        min_value=-_SMALL,
        max_value=_SMALL,
        required=False,
        help_text="Before it, where negative. 0 is the default.",
    )
    unit = serializers.ChoiceField(choices=Unit.choices, required=False)
    repeat_every = serializers.IntegerField(
        min_value=1, max_value=_SMALL, required=False, allow_null=True, help_text="In the same unit…"
    )
    repeat_until = serializers.IntegerField(
        min_value=-_SMALL, max_value=_SMALL, required=False, allow_null=True, help_text="…up to this offset."
    )
    template = serializers.CharField(max_length=80, help_text="A published one, by its name.")
    channel_templates = serializers.DictField(
        child=serializers.CharField(max_length=80),
        required=False,
        help_text='Other words on some channels: templates by connector, such as {"sms": "bill_short"}.',
    )


class PolicyBody(StrictSerializer):
    name = serializers.CharField(max_length=80)
    position = serializers.IntegerField(
        min_value=-_SMALL,
        max_value=_SMALL,
        required=False,
        help_text="An invoice follows the first policy that it fits; the lowest is asked first.",
    )
    accounts = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_ACCOUNTS,
        help_text="Channel accounts, in the order in which they are tried.",
    )
    delivered_within = serializers.IntegerField(
        min_value=60,
        max_value=86_400,
        required=False,
        allow_null=True,
        help_text="Seconds after which the next account is tried where no delivery was reported. Null: only where "
        "it failed.",
    )
    send_at = serializers.RegexField(
        HOUR, required=False, help_text="By the customer's own clock; 09:00 is the default."
    )
    days_off = serializers.ChoiceField(
        choices=DaysOff.choices,
        required=False,
        help_text="On which days nothing is sent: what would be goes on the next one that is none.",
    )
    quiet_hours = serializers.ListField(
        child=serializers.DictField(),
        max_length=_MOST_QUIET_HOURS,
        required=False,
        help_text='When messages may go: {"channel": "sms", "state": "SP", "weekdays": ["08:00", "20:00"], '
        '"saturday": ["08:00", "14:00"], "sunday": null} each; `*` is every channel or state. '
        "Empty: the usual hours.",
    )
    most_a_day = serializers.IntegerField(
        min_value=1, max_value=20, required=False, help_text="Messages to a customer; what is more waits."
    )
    most_a_week = serializers.IntegerField(min_value=1, max_value=50, required=False)
    joins_invoices = serializers.BooleanField(
        required=False, help_text="What is due together for a customer goes in one message."
    )
    late = serializers.ChoiceField(
        choices=Late.choices, required=False, help_text="What becomes of reminders whose day went by."
    )
    least_amount = serializers.IntegerField(
        min_value=0, max_value=_CENTS, required=False, allow_null=True, help_text="In cents; null means any."
    )
    most_amount = serializers.IntegerField(
        min_value=0, max_value=_CENTS, required=False, allow_null=True, help_text="In cents; null means any."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=MOST_NAMED,
        required=False,
        help_text="Only invoices with any of these. Empty: all.",
    )
    except_tags = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=MOST_NAMED,
        required=False,
        help_text="No invoices with any of these.",
    )
    customers = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MOST_NAMED,
        required=False,
        help_text="Only invoices of these contacts. Empty: all.",
    )
    result_days = serializers.IntegerField(
        min_value=1,
        max_value=60,
        required=False,
        help_text="A payment so many days after a reminder counts as its result.",
    )
    rules = RuleBody(  # type: ignore[call-arg] # its stubs do not know what lists take
        many=True, max_length=MOST_RULES, help_text="All of them: those that are not named go."
    )

    def validate_send_at(self, hour: str) -> time:
        return time.fromisoformat(hour)


def wanted_rules(given: list[dict[str, Any]], policy: ReminderPolicy | None = None) -> list[WantedRule]:
    """Ids are those of the policy's own rules, each once."""
    known: set[UUID] = set()
    if policy is not None:
        known = set(ReminderRule.across_organizations.filter(policy=policy).values_list("pk", flat=True))
    wanted: list[WantedRule] = []
    mistakes: dict[str, list[ErrorDetail]] = {}
    for n, values in enumerate(given):
        rule_id = values.pop("id", None)
        if rule_id is not None and rule_id not in known:
            detail = _("The policy has no such rule, or it is named twice. Leave the id out for a new one.")
            mistakes[f"rules/{n}/id"] = [ErrorDetail(detail, code="unknown_rule")]
        known.discard(rule_id)
        wanted.append(WantedRule(values, rule_id))
    if mistakes:
        raise ValidationError(mistakes)
    return wanted


class RemindersPreviewBody(StrictSerializer):
    invoice_id = serializers.UUIDField(required=False, help_text="What would be sent of it.")
    contact_id = serializers.UUIDField(required=False, help_text="What would be sent to this customer.")
    days = serializers.IntegerField(
        min_value=1,
        max_value=min(dry_run.MOST_DAYS, preview.MOST_DAYS),
        required=False,
        help_text=f"From now; {preview.DAYS}, or {dry_run.DAYS} for the whole portfolio, where it is not said.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "invoice_id" in attrs and "contact_id" in attrs:
            raise field_error("contact_id", "conflicting", _("Give an invoice, a customer, or neither."))
        return attrs


class ResultsQuery(Filters):
    days = serializers.RegexField(
        r"^[1-9][0-9]?$", required=False, help_text=f"The last so many, {results.DAYS} unless said; at most 90."
    )

    def validate_days(self, text: str) -> int:
        if int(text) > results.MOST_DAYS:
            raise serializers.ValidationError(
                _("At most %(most)d.") % {"most": results.MOST_DAYS}, code="max_value"
            )
        return int(text)
