"""What the API shows of invoices, imports and payment sources."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.billing.models import Invoice, InvoiceImport, PaymentSource


class InvoiceReader(serializers.ModelSerializer[Invoice]):
    contact_id = serializers.UUIDField()
    amount = serializers.IntegerField(help_text="In the smallest unit of the currency.")
    amount_due = serializers.IntegerField(help_text="What is left of it.")
    tags = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()

    class Meta:
        model = Invoice
        fields = [
            "id", "number", "contact_id", "amount", "paid_amount", "amount_due", "currency", "due_on", "status",
            "payment_url", "pix_code", "boleto_line", "tags", "metadata", "paid_at", "created_at", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields


class RowErrorReader(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="As a spreadsheet counts: from 1, the header too.")
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class InvoiceImportReader(serializers.ModelSerializer[InvoiceImport]):
    file_id = serializers.UUIDField(allow_null=True)
    total_rows = serializers.IntegerField(allow_null=True, help_text="As far as known.")
    errors = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="Of rows that were refused; the first thousand."
    )
    error_detail = serializers.CharField(help_text="Why the file as a whole was refused.")

    class Meta:
        model = InvoiceImport
        fields = [
            "id", "file_id", "state", "total_rows", "done_rows", "created_rows", "changed_rows", "unchanged_rows",
            "refused_rows", "errors", "error_detail", "created_at", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(RowErrorReader(many=True))
    def get_errors(self, found: InvoiceImport) -> Any:
        return found.errors


class ListedImportReader(InvoiceImportReader):
    """Without what is wrong with each row: of two hundred imports that would be megabytes."""

    errors = None  # type: ignore[assignment]

    class Meta(InvoiceImportReader.Meta):
        fields = [name for name in InvoiceImportReader.Meta.fields if name != "errors"]
        read_only_fields = fields


class PaymentSourceReader(serializers.ModelSerializer[PaymentSource]):
    """Everything but the secret."""

    url = serializers.SerializerMethodField(help_text="Where it calls.")

    class Meta:
        model = PaymentSource
        fields = ["id", "name", "url", "created_at"]
        read_only_fields = fields

    def get_url(self, source: PaymentSource) -> str:
        return url_of(source)


class PaymentSourceSecretReader(PaymentSourceReader):
    """`secret` is in its context."""

    secret = serializers.SerializerMethodField(help_text="Shown this once. Keep it where secrets are kept.")

    class Meta(PaymentSourceReader.Meta):
        fields = [*PaymentSourceReader.Meta.fields, "secret"]
        read_only_fields = fields

    def get_secret(self, _source: PaymentSource) -> str:
        return str(self.context["secret"])


def url_of(source: PaymentSource) -> str:
    return f"{settings.PUBLIC_URL}/v1/hooks/payments/{source.pk}"
