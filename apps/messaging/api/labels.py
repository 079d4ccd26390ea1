"""Labels, by which an organization sorts its conversations."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.core.api.serializers import StrictSerializer
from apps.messaging import labels
from apps.messaging.api.readers import LabelReader
from apps.messaging.models import Label


class LabelChange(StrictSerializer):
    name = serializers.CharField(required=False, max_length=40)
    color = serializers.RegexField(labels.COLOR, required=False, help_text="As `#rrggbb`.")


class NewLabel(LabelChange):
    name = serializers.CharField(max_length=40)
    color = serializers.RegexField(labels.COLOR, default=Label._meta.get_field("color").default)


class LabelView(TenantView[Label]):
    model = Label
    reader = LabelReader


class LabelsView(LabelView):
    scopes = {"GET": Scope.MESSAGES_READ, "POST": Scope.MESSAGES_WRITE}

    @extend_schema(responses=LabelReader(many=True), operation_id="labels_list")
    def get(self, request: Request) -> Response:
        """The labels that there are, newest first; a hundred at most."""
        return self.page(request)

    @extend_schema(request=NewLabel, responses={201: LabelReader}, operation_id="labels_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a label. No two have the same name."""
        body = NewLabel(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(LabelReader(labels.add(self.principal, **body.validated_data)).data, status=201)


class OneLabelView(LabelView):
    scopes = {"GET": Scope.MESSAGES_READ, "PATCH": Scope.MESSAGES_WRITE, "DELETE": Scope.MESSAGES_WRITE}

    @extend_schema(responses=LabelReader, operation_id="labels_retrieve")
    def get(self, request: Request, label_id: UUID) -> Response:
        """One label."""
        return Response(LabelReader(self.get_object(label_id)).data)

    @extend_schema(request=LabelChange, responses=LabelReader, operation_id="labels_update")
    def patch(self, request: Request, label_id: UUID) -> Response:
        """Change a label's name or color; what is left out stays."""
        label = self.get_object(label_id)
        body = LabelChange(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(LabelReader(labels.change(self.principal, label, **body.validated_data)).data)

    @extend_schema(responses={204: None}, operation_id="labels_delete")
    def delete(self, request: Request, label_id: UUID) -> Response:
        """Delete a label, and take it from every conversation."""
        labels.remove(self.principal, self.get_object(label_id))
        return Response(status=204)
