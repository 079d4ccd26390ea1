"""What the API shows of reminder policies, what they would send, and what they brought about."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.billing.models import ReminderPolicy, ReminderRule
from apps.billing.preview import Preview, Way
from apps.billing.results import Results
from apps.channels.content import as_document
from apps.channels.registry import choices


class RuleReader(serializers.ModelSerializer[ReminderRule]):
    channel_templates = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = ReminderRule
        fields = [
            "id", "anchor", "offset", "unit", "repeat_every", "repeat_until", "template", "channel_templates",
        ]  # fmt: skip
        read_only_fields = fields


class PolicyReader(serializers.ModelSerializer[ReminderPolicy]):
    is_live = serializers.BooleanField()
    send_at = serializers.SerializerMethodField(help_text="By the customer's own clock.")
    quiet_hours = serializers.ListField(child=serializers.DictField())
    rules = serializers.SerializerMethodField(help_text="By their offsets. Their ids stay the same.")

    class Meta:
        model = ReminderPolicy
        fields = [
            "id", "name", "position", "is_live", "live_since", "accounts", "delivered_within", "send_at",
            "days_off", "quiet_hours", "most_a_day", "most_a_week", "joins_invoices", "late",
            "least_amount", "most_amount", "tags", "except_tags", "customers", "result_days", "rules",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_send_at(self, policy: ReminderPolicy) -> str:
        return policy.send_at.isoformat("minutes")

    @extend_schema_field(RuleReader(many=True))
    def get_rules(self, policy: ReminderPolicy) -> Any:
        rules = sorted(policy.rules.all(), key=lambda rule: (rule.offset, rule.id))
        return RuleReader(rules, many=True).data


class InvoiceNameReader(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()


class WayReader(serializers.Serializer[Way]):
    account_id = serializers.UUIDField(source="account.id")
    channel = serializers.ChoiceField(choices=choices(), source="account.connector")
    to = serializers.CharField()
    text = serializers.SerializerMethodField(
        help_text="As the person would read it; null where it cannot be said."
    )
    content = serializers.SerializerMethodField(help_text="Besides the text; as in a message.")
    reason = serializers.CharField(source="code", help_text="Why it would not go there; empty where it would.")
    reason_detail = serializers.CharField(source="detail")

    def get_text(self, way: Way) -> str | None:
        return None if way.content is None else way.content.text

    @extend_schema_field(serializers.DictField())
    def get_content(self, way: Way) -> Mapping[str, Any]:
        return {} if way.content is None else as_document(way.content)


class PlannedReader(serializers.Serializer[Any]):
    planned_for = serializers.DateTimeField(source="at", help_text="By the rule, after days off and limits.")
    leaves_at = serializers.DateTimeField(
        allow_null=True, help_text="Once the hours of the first channel allow it. Null where it is not sent."
    )
    invoices = InvoiceNameReader(many=True, help_text="Which are reminded of in this one message.")
    rule_id = serializers.UUIDField(source="rule.id", allow_null=True, default=None)
    ways = WayReader(many=True, help_text="In the order in which they are tried.")
    reason = serializers.CharField(help_text="Why it is not sent; empty where it is.")
    reason_detail = serializers.CharField(source="detail")


class DayAndChannelReader(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="By the customers' own calendars.")
    channel = serializers.ChoiceField(choices=choices())
    messages = serializers.IntegerField()
    reminders = serializers.IntegerField(help_text="Of invoices: several may go in one message.")


class PortfolioReader(serializers.Serializer[Any]):
    """Of a DryRun."""

    days = serializers.IntegerField()
    read = serializers.IntegerField(help_text="How many unpaid invoices were looked at…")
    of = serializers.IntegerField(help_text="…of how many there are. The counts are of those that were read.")
    fits = serializers.IntegerField(help_text="Invoices that follow this policy.")
    customers = serializers.IntegerField(help_text="Whom these invoices are for.")
    unreachable = serializers.IntegerField(help_text="Of these, who has no address for any of the channels.")
    by_day = serializers.SerializerMethodField(help_text="Days without a message are left out.")

    @extend_schema_field(DayAndChannelReader(many=True))
    def get_by_day(self, run: Any) -> Any:
        return [
            {"day": day, "channel": channel, "messages": count, "reminders": run.reminders[day, channel]}
            for (day, channel), count in sorted(run.messages.items())
        ]


class RemindersPreviewReader(serializers.Serializer[Any]):
    follows = serializers.SerializerMethodField(
        help_text="Ids of the policies that the invoices follow: the first that each fits. Null for a portfolio."
    )
    reminders = serializers.SerializerMethodField(help_text="Of an invoice or a customer, by time; else null.")
    portfolio = serializers.SerializerMethodField(help_text="Where neither is named; else null.")

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField(), allow_null=True))
    def get_follows(self, found: Any) -> Any:
        return [policy.id for policy in found.policies] if isinstance(found, Preview) else None

    @extend_schema_field(PlannedReader(many=True, allow_null=True))
    def get_reminders(self, found: Any) -> Any:
        return PlannedReader(found.planned, many=True).data if isinstance(found, Preview) else None

    @extend_schema_field(PortfolioReader(allow_null=True))
    def get_portfolio(self, found: Any) -> Any:
        return None if isinstance(found, Preview) else PortfolioReader(found).data


COUNTED = ("touches", "sent", "delivered", "read", "failed", "stopped", "paid")


class CountsReader(serializers.Serializer[Any]):
    touches = serializers.IntegerField(help_text="Messages that were handed over; each may remind of several.")
    sent = serializers.IntegerField(help_text="Whatever was delivered was sent…")
    delivered = serializers.IntegerField(help_text="…and whatever was read was delivered.")
    read = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Over all ways.")
    stopped = serializers.IntegerField(help_text="Before they left: paid meanwhile, mostly.")
    paid = serializers.IntegerField(
        help_text="Invoices that were paid within the policy's `result_days` after a reminder of this day."
    )


class ResultsDayReader(CountsReader):
    day = serializers.DateField(help_text="By São Paulo's calendar.")


class ResultsReader(serializers.Serializer[Results]):
    days = ResultsDayReader(many=True, help_text="Oldest first, also those without anything.")
    total = serializers.SerializerMethodField()
    paid_amounts = serializers.DictField(
        child=serializers.IntegerField(), help_text="Of the invoices that were paid, in cents, by currency."
    )

    @extend_schema_field(CountsReader)
    def get_total(self, results: Results) -> dict[str, int]:
        return {name: results.total(name) for name in COUNTED}
