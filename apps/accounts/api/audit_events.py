"""The audit trail."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.models import AuditEvent
from apps.accounts.roles import Scope


class AuditEventReader(serializers.ModelSerializer[AuditEvent]):
    changes = serializers.DictField(
        child=serializers.ListField(), help_text="Field → what it was, what it became."
    )

    class Meta:
        model = AuditEvent
        fields = [
            "id", "at", "actor_kind", "actor_id", "actor_label", "action", "target_kind", "target_id",
            "target_label", "changes", "request_id", "ip",
        ]  # fmt: skip


class AuditEventsView(TenantView[AuditEvent]):
    model = AuditEvent
    reader = AuditEventReader
    scopes = {"GET": Scope.AUDIT_READ}

    @extend_schema(responses=AuditEventReader(many=True), operation_id="audit_events_list")
    def get(self, request: Request) -> Response:
        """Who changed what, newest first."""
        return self.page(request)
