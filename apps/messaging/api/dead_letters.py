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
from apps.messaging.api.filters import DeadLetterFilters, LikeTheseInBody
from apps.messaging.api.readers import DeadLetterReader, DeadLetterStoryReader
from apps.messaging.dead_letters import by_hand
from apps.messaging.dead_letters.by_hand import LONGEST_REASON, MOST_AT_ONCE
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.dead_letters.tried import tried
from apps.messaging.models import DeadLetter


class Discard(StrictSerializer):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class DiscardMany(Discard):
    ids = serializers.ListField(child=serializers.UUIDField(), allow_empty=False, max_length=MOST_AT_ONCE)


class ReplayQuery(LikeTheseInBody):
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False, max_length=MOST_AT_ONCE
    )
    dry_run = serializers.BooleanField(default=True, help_text="Only count: say `false` when you mean it.")
    most = serializers.IntegerField(
        min_value=1, max_value=MOST_AT_ONCE, default=MOST_AT_ONCE, help_text="The oldest so many."
    )


class DiscardedReader(serializers.Serializer[Any]):
    discarded = serializers.IntegerField(help_text="The others were not open any more, or are not there.")


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
        return Response(DeadLetterStoryReader(letter, context={"tried": tried(letter)}).data)


class ReplayDeadLetterView(DeadLetterView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses={202: DeadLetterReader}, operation_id="dead_letters_replay")
    def post(self, request: Request, letter_id: UUID) -> Response:
        """Try it again, at the end of its conversation's queue. 409 `not_dead` unless it is open."""
        letter = by_hand.replay(self.principal, self.get_object(letter_id))
        return Response(DeadLetterReader(letter).data, status=202)


class DiscardDeadLetterView(DeadLetterView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=Discard, responses=DeadLetterReader, operation_id="dead_letters_discard")
    def post(self, request: Request, letter_id: UUID) -> Response:
        """Let it rest, for a reason. 409 `not_dead` unless it is open."""
        letter = self.get_object(letter_id)
        body = Discard(data=request.data)
        body.is_valid(raise_exception=True)
        letter = by_hand.discard(self.principal, letter, body.validated_data["reason"])
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
        done = by_hand.replay_many(self.principal, Selection(**wanted), most=most, dry_run=dry_run)
        return Response(ReplayedReader(done).data, status=202)


class DiscardDeadLettersView(ApiView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=DiscardMany, responses=DiscardedReader, operation_id="dead_letters_discard_many")
    def post(self, request: Request) -> Response:
        """Let some rest, by their ids and for one reason. All that are alike: `/v1/dead-letters/clearings`."""
        body = DiscardMany(data=request.data)
        body.is_valid(raise_exception=True)
        discarded = by_hand.discard_many(self.principal, body.validated_data["ids"], body.validated_data["reason"])
        return Response({"discarded": discarded})
