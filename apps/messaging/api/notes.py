"""Notes on conversations, which the person never sees."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.core.api.serializers import StrictSerializer
from apps.messaging import notes
from apps.messaging.api.conversations import ConversationView
from apps.messaging.api.readers import NoteReader
from apps.messaging.models import ConversationNote


class NoteBody(StrictSerializer):
    text = serializers.CharField(max_length=notes.LONGEST_NOTE)


class ConversationNotesView(ConversationView):
    scopes = {"GET": Scope.MESSAGES_READ, "POST": Scope.MESSAGES_WRITE}

    @extend_schema(responses=NoteReader(many=True), operation_id="conversations_notes_list")
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """What members wrote about a conversation, newest first."""
        conversation = self.get_object(conversation_id)
        written = ConversationNote.objects.for_organization(self.principal.organization)
        written = written.filter(conversation=conversation).select_related("author__user")
        rows = self.paginator.paginate_queryset(written, request, self)
        return self.paginator.get_paginated_response(NoteReader(rows, many=True).data)

    @extend_schema(request=NoteBody, responses={201: NoteReader}, operation_id="conversations_notes_create")
    @idempotent
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Write a note. It is not sent to anybody."""
        conversation = self.get_object(conversation_id)
        body = NoteBody(data=request.data)
        body.is_valid(raise_exception=True)
        note = notes.write(self.principal, conversation, body.validated_data["text"])
        return Response(NoteReader(note).data, status=201)


class OneNoteView(TenantView[ConversationNote]):
    model = ConversationNote
    reader = NoteReader
    scopes = {"DELETE": Scope.MESSAGES_WRITE}

    def get_queryset(self) -> QuerySet[ConversationNote]:
        return super().get_queryset().select_related("author", "conversation")

    @extend_schema(responses={204: None}, operation_id="notes_delete")
    def delete(self, request: Request, note_id: UUID) -> Response:
        """Delete a note: who wrote it may, and administrators."""
        notes.erase(self.principal, self.get_object(note_id))
        return Response(status=204)
