"""Messages: send one, find them, see what became of them, take one back."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.core.api.pagination import NumberedPages, SiftedPages
from apps.messaging import messages
from apps.messaging.api.filters import MessageFilters
from apps.messaging.api.readers import EventReader, MessageReader
from apps.messaging.api.schema import NewMessageBody
from apps.messaging.api.sending import send
from apps.messaging.models import Message
from apps.messaging.search import SHORT_TABLES, created_between
from apps.messaging.timeline import events_of

WITH_PARTIES = ("account", "conversation")


class MessageView(TenantView[Message]):
    model = Message
    reader = MessageReader

    def get_queryset(self) -> QuerySet[Message]:
        return super().get_queryset().select_related(*WITH_PARTIES)


class MessagesView(MessageView):
    scopes = {"GET": Scope.MESSAGES_READ, "POST": Scope.MESSAGES_WRITE}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(parameters=[MessageFilters], responses=MessageReader(many=True), operation_id="messages_list")
    def get(self, request: Request) -> Response:
        """Messages, newest first.

        A page looks at a bounded number of messages: with a filter it may hold fewer than `limit`, or none, while
        `next` leads on.
        """
        found = self._find(MessageFilters.read(request))
        return self.paginator.get_paginated_response(MessageReader(found, many=True).data)

    @extend_schema(request=NewMessageBody, responses={202: MessageReader}, operation_id="messages_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Send a message. Give either `account_id` and `to`, or the `conversation_id` of one that exists.

        202: it is written down and will be sent. What becomes of it is told by its status and its events.
        """
        return Response(MessageReader(send(self.principal.organization, request.data)).data, status=202)

    def _find(self, wanted: dict[str, Any]) -> list[Message]:
        """By the index that knows most; what it does not know is sifted."""
        created = created_between(wanted.get("created_after"), wanted.get("created_before"))
        columns = _COLUMNS.keys() & wanted.keys()
        if short := SHORT_TABLES.get(wanted.get("status")):
            known = columns & _NARROW_SHORT & {field.attname for field in short._meta.fields}
            rows: QuerySet[Any] = short.objects.for_organization(self.principal.organization).filter(created)
            rows = rows.filter(**{name: wanted[name] for name in known})
            rows = rows.select_related(*(f"message__{name}" for name in WITH_PARTIES))
            sifted = Q(**{f"message__{_COLUMNS[name]}": wanted[name] for name in columns - known})
            return [row.message for row in self.paginator.sift(rows, sifted, self.request)]
        known = columns & _NARROW
        candidates = self.get_queryset().filter(created, **{_COLUMNS[name]: wanted[name] for name in known})
        if known & {"error_class", "error_code"}:
            candidates = candidates.exclude(error_class="")  # as the indexes of failures have it
        sifted = Q(**{_COLUMNS[name]: wanted[name] for name in columns - known})
        return self.paginator.sift(candidates, sifted, self.request)


# What an index finds, in the short tables and among all messages.
_NARROW_SHORT = {"account_id", "conversation_id", "error_class", "error_code"}
_NARROW = {"conversation_id", "reference", "template_id", "error_class", "error_code"}
_COLUMNS = {
    "status": "status",
    "channel": "account__connector",
    "account_id": "account_id",
    "conversation_id": "conversation_id",
    "reference": "reference",
    "template_id": "template_id",
    "error_class": "error_class",
    "error_code": "error_code",
    "created_after": "created_at__gte",
    "created_before": "created_at__lt",
}


class OneMessageView(MessageView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(responses=MessageReader, operation_id="messages_retrieve")
    def get(self, request: Request, message_id: UUID) -> Response:
        """One message and where it stands now."""
        return Response(MessageReader(self.get_object(message_id)).data)


class MessageEventsView(MessageView):
    scopes = {"GET": Scope.MESSAGES_READ}
    pagination_class: ClassVar[type[NumberedPages]] = NumberedPages

    @extend_schema(responses=EventReader(many=True), operation_id="messages_events_list")
    def get(self, request: Request, message_id: UUID) -> Response:
        """What happened to a message: every status and every attempt, newest first.

        Where it did not arrive and another way was taken, the events of the messages that took its place are among
        them: `message_id` tells which is whose.
        """
        events = events_of(self.get_object(message_id))
        rows = self.paginator.paginate_queryset(events, request, self)
        return self.paginator.get_paginated_response(EventReader(rows, many=True).data)


class CancelMessageView(MessageView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=None, responses=MessageReader, operation_id="messages_cancel")
    def post(self, request: Request, message_id: UUID) -> Response:
        """Take a message back. 409 `too_late` once it has left or has ended."""
        return Response(MessageReader(messages.cancel(self.principal, self.get_object(message_id))).data)
