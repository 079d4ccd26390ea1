"""Files of invoices: begin to read one, see how far it is and what was wrong."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView, TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.billing import imports
from apps.billing.api.readers import InvoiceImportReader, ListedImportReader
from apps.billing.models import InvoiceImport
from apps.core.api.serializers import StrictSerializer


class ImportBody(StrictSerializer):
    file_id = serializers.UUIDField(help_text="Of `POST /v1/files`: CSV, XLSX, or JSON as a list or in lines.")


class ImportInvoicesView(ApiView):
    scopes = {"POST": Scope.INVOICES_WRITE}

    @extend_schema(request=ImportBody, responses={202: InvoiceImportReader}, operation_id="invoices_import")
    @idempotent
    def post(self, request: Request) -> Response:
        """Read the invoices of a file that you uploaded, at most 50 MB and 200,000 rows.

        Tables have a header in English or Portuguese: number, customer, phone, email, amount (as in 1.234,56 or
        1234.56), due date (31/12/2026 or 2026-12-31), link, pix, boleto, tags. JSON has the objects of
        `POST /v1/invoices`, or the columns of a table, all as text. Rows that are wrong are named; the others are
        saved.
        """
        body = ImportBody(data=request.data)
        body.is_valid(raise_exception=True)
        started = imports.start(self.principal, body.validated_data["file_id"])
        return Response(InvoiceImportReader(started).data, status=202)


class ImportView(TenantView[InvoiceImport]):
    model = InvoiceImport
    reader = ListedImportReader


class ImportsView(ImportView):
    scopes = {"GET": Scope.INVOICES_READ}

    def get_queryset(self) -> QuerySet[InvoiceImport]:
        return super().get_queryset().defer("errors")

    @extend_schema(responses=ListedImportReader(many=True), operation_id="invoice_imports_list")
    def get(self, request: Request) -> Response:
        """Imports, newest first, without what was wrong with single rows."""
        return self.page(request)


class OneImportView(ImportView):
    scopes = {"GET": Scope.INVOICES_READ}

    @extend_schema(responses=InvoiceImportReader, operation_id="invoice_imports_retrieve")
    def get(self, request: Request, import_id: UUID) -> Response:
        """How far an import is, and which rows were refused."""
        data: Any = InvoiceImportReader(self.get_object(import_id)).data
        return Response(data)
