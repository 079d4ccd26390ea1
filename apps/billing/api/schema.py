"""How the API document describes the bodies that apps.billing.api.bodies reads, and the answers to many."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.billing import new_invoice
from apps.messaging.api.schema import RefusedReader


class CustomerBody(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, allow_blank=True, max_length=new_invoice.LONGEST_NAME)
    phone = serializers.CharField(
        required=False, allow_blank=True, max_length=254,
        help_text="Such as `+5511912345678`; without a country it is a Brazilian number.",
    )  # fmt: skip
    email = serializers.CharField(required=False, allow_blank=True, max_length=254)
    language = serializers.CharField(
        required=False, allow_blank=True, max_length=10, help_text="Such as `pt-br`; empty where nobody knows."
    )
    time_zone = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="Such as `America/Sao_Paulo`."
    )


class InvoiceChangeBody(serializers.Serializer[Any]):
    contact_id = serializers.UUIDField(required=False, help_text="A contact that is known, or give `customer`.")
    customer = CustomerBody(
        required=False, help_text="Found by phone number or e-mail address, or added. What is known stays."
    )
    amount = serializers.IntegerField(
        required=False, min_value=1, max_value=new_invoice.MOST_AMOUNT,
        help_text="In the smallest unit of the currency: 12345 is R$ 123.45.",
    )  # fmt: skip
    currency = serializers.CharField(
        required=False, max_length=3, min_length=3, help_text="ISO 4217; BRL by default."
    )
    due_on = serializers.DateField(required=False)
    payment_url = serializers.CharField(required=False, allow_blank=True, max_length=new_invoice.LONGEST_URL)
    pix_code = serializers.CharField(
        required=False, allow_blank=True, max_length=1024,
        help_text="Copy and paste. Its amount, if it has one, must be what is due.",
    )  # fmt: skip
    boleto_line = serializers.CharField(
        required=False, allow_blank=True, max_length=80, help_text="47 or 48 digits; dots and spaces do not count."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=new_invoice.LONGEST_TAG),
        required=False,
        max_length=new_invoice.MOST_TAGS,
    )
    metadata = serializers.DictField(
        required=False, help_text=f"Your own labels, at most {new_invoice.LARGEST_METADATA} bytes of JSON."
    )


class NewInvoiceBody(InvoiceChangeBody):
    number = serializers.CharField(
        max_length=new_invoice.LONGEST_NUMBER, help_text="Your own: bring it again, and this invoice is changed."
    )
    amount = serializers.IntegerField(
        min_value=1, max_value=new_invoice.MOST_AMOUNT,
        help_text="In the smallest unit of the currency: 12345 is R$ 123.45.",
    )  # fmt: skip
    due_on = serializers.DateField()


@extend_schema_field(
    {
        "description": "As in `POST /v1/invoices`. Each is judged by itself, so anything is taken and answered.",
        "anyOf": [{"$ref": "#/components/schemas/NewInvoiceBodyRequest"}, {}],
    }
)
class InBatch(serializers.JSONField):
    pass


class InvoiceBatchBody(serializers.Serializer[Any]):
    # Names the component that InBatch refers to.
    invoices = serializers.ListField(child=InBatch(), min_length=1, max_length=new_invoice.MOST_AT_ONCE)


class SavedInvoiceReader(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The place in what you sent, from 0.")
    id = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=["created", "changed", "unchanged"])


class InvoiceBatchReader(serializers.Serializer[Any]):
    saved = SavedInvoiceReader(many=True)
    refused = RefusedReader(many=True)
