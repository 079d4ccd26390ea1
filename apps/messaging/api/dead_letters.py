"""Messages that failed for good: look at them, try them again, let them rest."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView, TenantView
from apps.accounts.roles import Scope
from apps.core.api.pagination import SiftedPages
from apps.core.api.serializers import StrictSerializer
from apps.messaging import dead_letters
from apps.messaging.api.filters import DeadLetterFilters
from apps.messaging.api.readers import DeadLetterReader, DeadLetterStoryReader
from apps.messaging.dead_letters import LONGEST_REASON, MOST_AT_ONCE, Selection
from apps.messaging.models import DeadLetter


class Discard(StrictSerializer):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class ReplayQuery(StrictSerializer):
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False, max_length=MOST_AT_ONCE
    )
    account_id = serializers.UUIDField(required=False)
    error_class = serializers.CharField(required=False, max_length=20)
    error_code = serializers.CharField(required=False, allow_blank=True, max_length=60)
    created_before = serializers.DateTimeField(required=False)
    dry_run = serializers.BooleanField(default=True, help_text="Only count: say `false` when you mean it.")
    most = serializers.IntegerField(
        min_value=1, max_value=MOST_AT_ONCE, default=MOST_AT_ONCE, help_text="The oldest so many."
    )


class ReplayedReader(serializers.Serializer[Any]):
    matched = serializers.IntegerField()
    replayed = serializers.IntegerField()
    remaining = serializers.IntegerField(help_text="Ask again to go on with these.")


class DeadLetterView(TenantView[DeadLetter]):
    model = DeadLetter
    reader = DeadLetterReader

    def get_queryset(self) -> QuerySet[DeadLetter]:
        return super().get_queryset().select_related("account", "message__conversation")


class DeadLettersView(DeadLetterView):
    scopes = {"GET": Scope.MESSAGES_READ}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(
        parameters=[DeadLetterFilters],
        responses=DeadLetterReader(many=True),
        operation_id="dead_letters_list",
    )
    def get(self, request: Request) -> Response:
        """Dead letters, newest first. With a filter a page may hold fewer than `limit` while `next` leads on."""
        found = self.paginator.sift(self.get_queryset(), Q(**DeadLetterFilters.read(request)), request)
        return self.paginator.get_paginated_response(DeadLetterReader(found, many=True).data)


class OneDeadLetterView(DeadLetterView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(responses=DeadLetterStoryReader, operation_id="dead_letters_retrieve")
    def get(self, request: Request, letter_id: UUID) -> Response:
        """One dead letter, with every attempt and what came of it."""
        letter = self.get_object(letter_id)
        return Response(DeadLetterStoryReader(letter, context={"tried": dead_letters.tried(letter)}).data)


class ReplayDeadLetterView(DeadLetterView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses={202: DeadLetterReader}, operation_id="dead_letters_replay")
    def post(self, request: Request, letter_id: UUID) -> Response:
        """Try it again, at the end of its conversation's queue. 409 `not_dead` unless it is open."""
        letter = dead_letters.replay(self.principal, self.get_object(letter_id))
        return Response(DeadLetterReader(letter).data, status=202)


class DiscardDeadLetterView(DeadLetterView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=Discard, responses=DeadLetterReader, operation_id="dead_letters_discard")
    def post(self, request: Request, letter_id: UUID) -> Response:
        """Let it rest, for a reason. 409 `not_dead` unless it is open."""
        letter = self.get_object(letter_id)
        body = Discard(data=request.data)
        body.is_valid(raise_exception=True)
        letter = dead_letters.discard(self.principal, letter, body.validated_data["reason"])
        return Response(DeadLetterReader(letter).data)


class ReplayDeadLettersView(ApiView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=ReplayQuery, responses={202: ReplayedReader}, operation_id="dead_letters_replay_many")
    def post(self, request: Request) -> Response:
        """Try all again that are open and match, up to 1,000 at once and behind new messages.

        Counts only, unless `dry_run` is false.
        """
        body = ReplayQuery(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = dict(body.validated_data)
        dry_run, most = wanted.pop("dry_run"), wanted.pop("most")
        done = dead_letters.replay_many(self.principal, Selection(**wanted), most=most, dry_run=dry_run)
        return Response(ReplayedReader(done).data, status=202)
