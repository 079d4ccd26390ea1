"""Reminders: what was sent of which invoice, when, and what became of it; or why it was not sent."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.roles import Scope
from apps.billing.api.policy_readers import InvoiceNameReader
from apps.billing.chains import last_messages
from apps.billing.models import Anchor, Reminder, Unit
from apps.billing.reasons import sentence
from apps.channels.registry import choices
from apps.messaging.api.filters import Filters
from apps.messaging.api.readers import ErrorReader
from apps.messaging.models import Message
from apps.messaging.statuses import Status


class ReminderFilters(Filters):
    invoice_id = serializers.UUIDField(required=False)
    touch_id = serializers.UUIDField(required=False, help_text="All that went in one message.")


class RuleNameReader(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    anchor = serializers.ChoiceField(choices=Anchor.choices)
    offset = serializers.IntegerField()
    unit = serializers.ChoiceField(choices=Unit.choices)


class EndReader(serializers.Serializer[Message]):
    """The last of the messages that took each other's places."""

    id = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=choices(), source="account.connector")
    status = serializers.ChoiceField(choices=Status.choices)
    error = serializers.SerializerMethodField(help_text="Why it failed; null unless it did.")

    @extend_schema_field(ErrorReader(allow_null=True))
    def get_error(self, message: Message) -> Any:
        return ErrorReader(message).data if message.error_class else None


class ReminderReader(serializers.ModelSerializer[Reminder]):
    """`messages` are in its context, by the ids of the first ones."""

    invoice = InvoiceNameReader()
    rule = RuleNameReader(allow_null=True, help_text="Null where the rule is gone by now.")
    touch_id = serializers.UUIDField(allow_null=True)
    policy_id = serializers.UUIDField(source="touch.policy_id", allow_null=True, default=None)
    message_id = serializers.UUIDField(
        source="touch.message_id", allow_null=True, default=None, help_text="The first; others may take its place."
    )
    reason_detail = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField(help_text="The last way that was tried; null where none was.")

    class Meta:
        model = Reminder
        fields = [
            "id", "invoice", "rule", "policy_id", "occurrence", "planned_for", "due_on", "amount_due", "state",
            "reason", "reason_detail", "touch_id", "message_id", "message", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_reason_detail(self, reminder: Reminder) -> str:
        return sentence(reminder.reason) if reminder.reason else ""

    @extend_schema_field(EndReader(allow_null=True))
    def get_message(self, reminder: Reminder) -> Any:
        first = reminder.touch and reminder.touch.message_id
        last = self.context["messages"].get(first) if first else None
        return None if last is None else EndReader(last).data


class RemindersView(TenantView[Reminder]):
    model = Reminder
    scopes = {"GET": Scope.INVOICES_READ}

    def get_queryset(self) -> QuerySet[Reminder]:
        return super().get_queryset().select_related("invoice", "rule", "touch")

    @extend_schema(
        parameters=[ReminderFilters], responses=ReminderReader(many=True), operation_id="reminders_list"
    )
    def get(self, request: Request) -> Response:
        """What was sent of which invoice, and what was not, with the reason; newest first."""
        found = self.paginator.paginate_queryset(
            self.get_queryset().filter(**ReminderFilters.read(request)), request, self
        )
        firsts = {row.touch.message_id for row in found if row.touch and row.touch.message_id}
        reader = ReminderReader(found, many=True, context={"messages": last_messages(firsts)})
        return self.paginator.get_paginated_response(reader.data)
