"""All dead letters that are alike: how many they are, and what is done about them, while one watches."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView, TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.messaging.api.filters import LikeThese, LikeTheseInBody
from apps.messaging.dead_letters import clearings
from apps.messaging.dead_letters.by_hand import LONGEST_REASON
from apps.messaging.dead_letters.causes import MOST_CAUSES, MOST_LOOKED_AT, causes
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.models import Clearing, ClearingAction


class NewClearing(LikeTheseInBody):
    action = serializers.ChoiceField(choices=ClearingAction.choices)
    reason = serializers.CharField(
        required=False, max_length=LONGEST_REASON, help_text="Why they rest; to discard needs one."
    )
    per_second = serializers.IntegerField(
        min_value=1, max_value=clearings.FASTEST, default=clearings.USUAL_RATE, help_text="No more a second."
    )


class ClearingResultsReader(serializers.Serializer[Any]):
    under_way = serializers.IntegerField(help_text="Tried again at this moment, or waiting for it.")
    sent = serializers.IntegerField()
    failed_again = serializers.IntegerField(help_text="Dead letters once more.")
    discarded = serializers.IntegerField()


class ClearingReader(serializers.ModelSerializer[Clearing]):
    account_id = serializers.UUIDField(allow_null=True)
    error_class = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)

    class Meta:
        model = Clearing
        fields = [
            "id", "action", "state", "account_id", "error_class", "error_code", "created_before", "failed_again",
            "reason", "per_second", "matched", "done", "started_by", "created_at", "ended_at",
        ]  # fmt: skip
        read_only_fields = fields


class ClearingWithResultsReader(ClearingReader):
    results = serializers.SerializerMethodField(help_text="What became of those that had their turn.")

    class Meta(ClearingReader.Meta):
        fields = [*ClearingReader.Meta.fields, "results"]

    @extend_schema_field(ClearingResultsReader)
    def get_results(self, clearing: Clearing) -> Any:
        return ClearingResultsReader(clearings.results(clearing)).data


class CountReader(serializers.Serializer[Any]):
    matched = serializers.IntegerField()


class CauseReader(serializers.Serializer[Any]):
    account_id = serializers.UUIDField()
    error_class = serializers.CharField()
    error_code = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True, help_text="One of its letters' words.")
    count = serializers.IntegerField()
    failed_again = serializers.IntegerField(help_text="Of these, those that were tried again before.")
    oldest_at = serializers.DateTimeField()
    newest_at = serializers.DateTimeField()


class CausesReader(serializers.Serializer[Any]):
    # `data` is a word of DRF's.
    def get_fields(self) -> dict[str, Any]:
        return {"data": CauseReader(source="causes", many=True), **super().get_fields()}

    complete = serializers.BooleanField(
        source="is_whole",
        help_text=f"False beyond {MOST_CAUSES} causes or {MOST_LOOKED_AT:,} open ones: the oldest were looked at.",
    )


class CausesView(ApiView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(responses=CausesReader, operation_id="dead_letters_causes")
    def get(self, request: Request) -> Response:
        """Open dead letters by what they have in common, the most frequent first."""
        return Response(CausesReader(causes([self.principal.organization.pk])).data)


class CountView(ApiView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(parameters=[LikeThese], responses=CountReader, operation_id="dead_letters_count")
    def get(self, request: Request) -> Response:
        """How many open ones match: what a clearing would have to do."""
        matched = clearings.count(self.principal, Selection(**LikeThese.read(request)))
        return Response({"matched": matched})


class ClearingView(TenantView[Clearing]):
    model = Clearing
    reader = ClearingReader


class ClearingsView(ClearingView):
    scopes = {"GET": Scope.MESSAGES_READ, "POST": Scope.MESSAGES_WRITE}

    @extend_schema(responses=ClearingReader(many=True), operation_id="dead_letters_clearings_list")
    def get(self, request: Request) -> Response:
        """Clearings, newest first."""
        return self.page(request)

    @extend_schema(
        request=NewClearing,
        responses={202: ClearingWithResultsReader},
        operation_id="dead_letters_clearings_create",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Try all again, or discard all, that are open and match. It goes on by itself, at the rate that you say.

        409 `nothing_to_clear` where none matches. Ask `/v1/dead-letters/count` first.
        """
        body = NewClearing(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = dict(body.validated_data)
        how = {name: wanted.pop(name) for name in ("reason", "per_second") if name in wanted}
        action = ClearingAction(wanted.pop("action"))
        clearing = clearings.start(self.principal, action, Selection(**wanted), **how)
        return Response(ClearingWithResultsReader(clearing).data, status=202)


class OneClearingView(ClearingView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(responses=ClearingWithResultsReader, operation_id="dead_letters_clearings_retrieve")
    def get(self, request: Request, clearing_id: UUID) -> Response:
        """How far it is, and what came of it."""
        return Response(ClearingWithResultsReader(self.get_object(clearing_id)).data)


class PauseClearingView(ClearingView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses=ClearingReader, operation_id="dead_letters_clearings_pause")
    def post(self, request: Request, clearing_id: UUID) -> Response:
        """Hold it. Those that had their turn are tried on. 409 `clearing_ended` where it has ended."""
        return Response(ClearingReader(clearings.pause(self.principal, self.get_object(clearing_id))).data)


class ResumeClearingView(ClearingView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses=ClearingReader, operation_id="dead_letters_clearings_resume")
    def post(self, request: Request, clearing_id: UUID) -> Response:
        """Let it go on. 409 `clearing_ended` where it has ended."""
        return Response(ClearingReader(clearings.resume(self.principal, self.get_object(clearing_id))).data)


class CancelClearingView(ClearingView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses=ClearingReader, operation_id="dead_letters_clearings_cancel")
    def post(self, request: Request, clearing_id: UUID) -> Response:
        """End it. What was done stays done. 409 `clearing_ended` where it has ended."""
        return Response(ClearingReader(clearings.cancel(self.principal, self.get_object(clearing_id))).data)
