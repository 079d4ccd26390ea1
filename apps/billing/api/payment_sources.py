"""Systems that may tell us of payments."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.billing import payment_sources
from apps.billing.api.readers import PaymentSourceReader, PaymentSourceSecretReader
from apps.billing.models import PaymentSource
from apps.core.api.serializers import StrictSerializer


class PaymentSourceBody(StrictSerializer):
    name = serializers.CharField(max_length=80)


class SourceView(TenantView[PaymentSource]):
    model = PaymentSource
    reader = PaymentSourceReader

    def get_queryset(self) -> QuerySet[PaymentSource]:
        return super().get_queryset().defer("secret")


class SourcesView(SourceView):
    scopes = {"GET": Scope.INVOICES_WRITE, "POST": Scope.INVOICES_WRITE}

    @extend_schema(responses=PaymentSourceReader(many=True), operation_id="payment_sources_list")
    def get(self, request: Request) -> Response:
        """All payment sources, newest first, without their secrets."""
        return self.page(request)

    @extend_schema(
        request=PaymentSourceBody,
        responses={201: PaymentSourceSecretReader},
        operation_id="payment_sources_create",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Add a payment source. The secret that it signs with is in this answer and nowhere else.

        It calls `url` as Standard Webhooks say, with `number` or `invoice_id`, and `amount`, `paid_at` and
        `external_id` where it knows them; or with up to 100 of those under `payments`.
        """
        body = PaymentSourceBody(data=request.data)
        body.is_valid(raise_exception=True)
        return _shown_once(*payment_sources.add(self.principal, name=body.validated_data["name"]))


class OneSourceView(SourceView):
    scopes = dict.fromkeys(("GET", "PATCH", "DELETE"), Scope.INVOICES_WRITE)

    @extend_schema(responses=PaymentSourceReader, operation_id="payment_sources_retrieve")
    def get(self, request: Request, source_id: UUID) -> Response:
        """One payment source, without its secret."""
        return Response(PaymentSourceReader(self.get_object(source_id)).data)

    @extend_schema(request=PaymentSourceBody, responses=PaymentSourceReader, operation_id="payment_sources_update")
    def patch(self, request: Request, source_id: UUID) -> Response:
        """Give it another name."""
        source = self.get_object(source_id)
        body = PaymentSourceBody(data=request.data)
        body.is_valid(raise_exception=True)
        renamed = payment_sources.rename(self.principal, source, name=body.validated_data["name"])
        return Response(PaymentSourceReader(renamed).data)

    @extend_schema(responses={204: None}, operation_id="payment_sources_delete")
    def delete(self, request: Request, source_id: UUID) -> Response:
        """Remove a payment source: it is not believed any more. What it told of stays."""
        payment_sources.remove(self.principal, self.get_object(source_id))
        return Response(status=204)


class RotateSourceSecretView(SourceView):
    scopes = {"POST": Scope.INVOICES_WRITE}

    @extend_schema(
        request=None, responses={201: PaymentSourceSecretReader}, operation_id="payment_sources_rotate_secret"
    )
    @idempotent
    def post(self, request: Request, source_id: UUID) -> Response:
        """Give it a new secret, shown this once. What is signed with the old one is refused from now on."""
        return _shown_once(*payment_sources.rotate_secret(self.principal, self.get_object(source_id)))


def _shown_once(source: PaymentSource, secret: str) -> Response:
    data = PaymentSourceSecretReader(source, context={"secret": secret}).data
    return Response(data, status=201, headers={"Cache-Control": "no-store"})
