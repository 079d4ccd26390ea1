"""What the API shows of registration flows, and of how far people come in them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.registration.funnel import Funnel
from apps.registration.models import RegistrationFlow


class ListedFlowReader(serializers.ModelSerializer[RegistrationFlow]):
    accounts = serializers.ListField(child=serializers.UUIDField())
    keywords = serializers.ListField(child=serializers.CharField())
    is_live = serializers.BooleanField()
    version = serializers.IntegerField(
        source="published.number", allow_null=True, default=None, help_text="The published one; null before that."
    )

    class Meta:
        model = RegistrationFlow
        fields = [
            "id", "name", "position", "is_live", "accounts", "keywords", "starts_by_intent", "remind_after",
            "close_after", "redact_after", "keep_days", "told_by", "told_at", "version", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class FlowReader(ListedFlowReader):
    definition = serializers.DictField(
        source="published.definition", allow_null=True, default=None, help_text="Of the published version."
    )

    class Meta(ListedFlowReader.Meta):
        fields = [*ListedFlowReader.Meta.fields, "definition"]
        read_only_fields = fields


class StepReader(serializers.Serializer[Any]):
    key = serializers.CharField()
    reached = serializers.IntegerField()

    # `label` is a word of serializers' own.
    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "label": serializers.CharField()}


class FunnelReader(serializers.Serializer[Funnel]):
    started = serializers.IntegerField(help_text="Without those who correct what is known: see `updates`.")
    consented = serializers.IntegerField()
    questions = serializers.SerializerMethodField(
        help_text="Of the published version, in their order; by where people are now, or left."
    )
    summary = serializers.IntegerField(help_text="Who was shown all of it, to be confirmed.")
    completed = serializers.IntegerField()
    running = serializers.IntegerField(help_text="Who is being asked at this moment.")
    otherwise = serializers.DictField(
        child=serializers.IntegerField(),
        source="ended",
        help_text="The others: `declined`, `stopped`, `silent`, `cancelled`; and `with_person`, who may go on.",
    )
    dropped = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Where those left who did not complete it: the question's key, or `consent` or `summary`.",
    )
    updates = serializers.IntegerField(
        help_text="Corrections of what is known that were completed; in no other number here."
    )

    @extend_schema_field(StepReader(many=True))
    def get_questions(self, funnel: Funnel) -> list[dict[str, Any]]:
        return [{"key": key, "label": label, "reached": reached} for key, label, reached in funnel.steps]
