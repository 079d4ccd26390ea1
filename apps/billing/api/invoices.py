"""Invoices: bring one or many, find them, change them, say what became of them."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView, TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.billing import invoices, payments, pix
from apps.billing.api.bodies import as_problem, read_batch, read_change, read_invoice
from apps.billing.api.readers import InvoiceReader
from apps.billing.api.schema import InvoiceBatchBody, InvoiceBatchReader, InvoiceChangeBody, NewInvoiceBody
from apps.billing.models import Invoice, InvoiceStatus
from apps.billing.new_invoice import LONGEST_NUMBER, LONGEST_TAG, MOST_AMOUNT, Mistake, NewInvoice, Saved
from apps.core.api.pagination import SiftedPages
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api.filters import Filters


class InvoiceFilters(Filters):
    status = serializers.ChoiceField(choices=InvoiceStatus.choices, required=False)
    contact_id = serializers.UUIDField(required=False)
    due_from = serializers.DateField(required=False)
    due_to = serializers.DateField(required=False, help_text="That day is part of it.")
    number = serializers.CharField(required=False, max_length=LONGEST_NUMBER, help_text="Whole.")
    tag = serializers.CharField(required=False, max_length=LONGEST_TAG)

    def validate_tag(self, tag: str) -> list[str]:
        return [tag]


class PaymentBody(StrictSerializer):
    amount = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_AMOUNT, help_text="In cents; the rest of it by default."
    )
    paid_at = serializers.DateTimeField(required=False, help_text="Now by default.")
    external_id = serializers.CharField(
        required=False, max_length=payments.LONGEST_EXTERNAL_ID,
        help_text="Of the payment: told of twice, it is written down once.",
    )  # fmt: skip


class InvoiceView(TenantView[Invoice]):
    model = Invoice
    reader = InvoiceReader


class InvoicesView(InvoiceView):
    scopes = {"GET": Scope.INVOICES_READ, "POST": Scope.INVOICES_WRITE}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(parameters=[InvoiceFilters], responses=InvoiceReader(many=True), operation_id="invoices_list")
    def get(self, request: Request) -> Response:
        """Invoices, newest first.

        A page looks at a bounded number of invoices: with a filter it may hold fewer than `limit`, or none, while
        `next` leads on.
        """
        wanted = InvoiceFilters.read(request)
        # What an index finds; the rest is sifted out of that.
        known = {name: wanted[name] for name in ("number", "contact_id") if name in wanted}
        sifted = Q(**{lookup: wanted[name] for name, lookup in _SIFTED.items() if name in wanted})
        found = self.paginator.sift(self.get_queryset().filter(**known), sifted, request)
        return self.paginator.get_paginated_response(InvoiceReader(found, many=True).data)

    @extend_schema(
        request=NewInvoiceBody,
        responses={201: InvoiceReader, 200: InvoiceReader},
        operation_id="invoices_create",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Bring an invoice. 201 if its number is new; 200 if it was known, and is now as you say.

        Give either `contact_id` or `customer`. What is left out of a known invoice stays as it is.
        """
        wanted = read_invoice(request.data)
        if isinstance(wanted, list):
            raise as_problem(wanted)
        saved = invoices.add(self.principal, wanted)
        return Response(InvoiceReader(saved.invoice).data, status=201 if saved.outcome == "created" else 200)


_SIFTED = {"status": "status", "due_from": "due_on__gte", "due_to": "due_on__lte", "tag": "tags__contains"}


class InvoiceBatchView(ApiView):
    scopes = {"POST": Scope.INVOICES_WRITE}

    @extend_schema(
        request=InvoiceBatchBody, responses={200: InvoiceBatchReader}, operation_id="invoices_batch_create"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Bring up to 1,000 invoices. What is wrong with one keeps no other from being saved.

        200 whatever became of them: `saved` and `refused` name each by its index.
        """
        read = read_batch(request.data)
        wanted = {n: each for n, each in enumerate(read) if isinstance(each, NewInvoice)}
        refused = {n: each for n, each in enumerate(read) if isinstance(each, list)}
        saved = []
        answers = invoices.save_many(self.principal, list(wanted.values()))
        for n, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, Saved):
                saved.append({"index": n, "id": answer.invoice.id, "outcome": answer.outcome})
            else:
                refused[n] = answer.mistakes
        return Response({"saved": saved, "refused": [_in_batch(n, refused[n]) for n in sorted(refused)]})


class OneInvoiceView(InvoiceView):
    scopes = {"GET": Scope.INVOICES_READ, "PATCH": Scope.INVOICES_WRITE}

    @extend_schema(responses=InvoiceReader, operation_id="invoices_retrieve")
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """One invoice."""
        return Response(InvoiceReader(self.get_object(invoice_id)).data)

    @extend_schema(request=InvoiceChangeBody, responses=InvoiceReader, operation_id="invoices_update")
    def patch(self, request: Request, invoice_id: UUID) -> Response:
        """Change an invoice; what is left out stays. 409 `invoice_settled` for the amount of one that is paid."""
        invoice = self.get_object(invoice_id)
        changed = invoices.change(self.principal, invoice, **read_change(request.data))
        return Response(InvoiceReader(changed).data)


class PayInvoiceView(InvoiceView):
    scopes = {"POST": Scope.INVOICES_WRITE}

    @extend_schema(request=PaymentBody, responses=InvoiceReader, operation_id="invoices_pay")
    @idempotent
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Write down a payment. Once this is answered, no reminder leaves that does not know of it."""
        invoice = self.get_object(invoice_id)
        body = PaymentBody(data=request.data)
        body.is_valid(raise_exception=True)
        said: dict[str, Any] = body.validated_data
        paid = payments.pay(
            invoice.id, self.principal.organization, said.get("amount"), said.get("paid_at"),
            said.get("external_id", ""), self.principal.actor,
        )  # fmt: skip
        return Response(InvoiceReader(paid).data)


class CancelInvoiceView(InvoiceView):
    scopes = {"POST": Scope.INVOICES_WRITE}

    @extend_schema(request=None, responses=InvoiceReader, operation_id="invoices_cancel")
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Cancel an invoice: nobody is reminded of it any more. 409 `invoice_settled` if it is paid."""
        return Response(InvoiceReader(invoices.cancel(self.principal, self.get_object(invoice_id))).data)


class DisputeInvoiceView(InvoiceView):
    scopes = {"POST": Scope.INVOICES_WRITE}

    @extend_schema(request=None, responses=InvoiceReader, operation_id="invoices_dispute")
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """The customer says that it is wrong: nobody is reminded of it until that is settled."""
        return Response(InvoiceReader(invoices.dispute(self.principal, self.get_object(invoice_id))).data)


class SettleInvoiceView(InvoiceView):
    scopes = {"POST": Scope.INVOICES_WRITE}

    @extend_schema(request=None, responses=InvoiceReader, operation_id="invoices_settle")
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """A dispute is settled: the invoice is owed as before."""
        return Response(InvoiceReader(invoices.settle_dispute(self.principal, self.get_object(invoice_id))).data)


class InvoicePixView(InvoiceView):
    scopes = {"GET": Scope.INVOICES_READ}

    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY}, operation_id="invoices_pix_picture")
    def get(self, request: Request, invoice_id: UUID) -> HttpResponse:
        """The Pix code as a picture to be read by a phone."""
        code = self.get_object(invoice_id).pix_code
        if not code:
            raise NotFound(_("This invoice has no Pix code."), code="no_pix_code")
        headers = {
            "Cache-Control": "private, no-store",
            "Content-Disposition": 'inline; filename="pix.png"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(pix.picture(code), content_type="image/png", headers=headers)


def _in_batch(index: int, mistakes: list[Mistake]) -> dict[str, Any]:
    errors = [
        {"pointer": f"/invoices/{index}/{each.field}".rstrip("/"), "code": each.code, "detail": each.detail}
        for each in mistakes
    ]
    return {"index": index, "errors": errors}
