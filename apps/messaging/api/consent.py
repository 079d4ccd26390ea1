"""Addresses that are not written to, and what people allowed and refused."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.channels.registry import NAMES
from apps.core.api.pagination import SiftedPages
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api.contacts import ContactView
from apps.messaging.api.filters import Filters
from apps.messaging.consent import choices, suppressions
from apps.messaging.consent.choices import Choice
from apps.messaging.models import ConsentEvent, ConsentSource, Suppression
from apps.messaging.statuses import Category

MOST_AT_ONCE = 1000
MOST_MISTAKES = 20
KINDS = [kind.value for kind in AddressKind]
# Not an operator: they work in the admin.
SOURCES = [source for source in ConsentSource.choices if source[0] != ConsentSource.OPERATOR]
_CATEGORY = r"[a-z][a-z0-9_]{0,39}"
_NO_CHOICE = {Category.TRANSACTIONAL.value, Category.SERVICE.value}


class SuppressionFilters(Filters):
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    address = serializers.CharField(required=False, max_length=addresses.LONGEST)
    source = serializers.ChoiceField(choices=ConsentSource.choices, required=False)  # type: ignore[assignment]


class SuppressionsBody(StrictSerializer):
    kind = serializers.ChoiceField(choices=KINDS, help_text="Of all of the addresses.")
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=addresses.LONGEST), min_length=1, max_length=MOST_AT_ONCE
    )
    category = serializers.RegexField(
        rf"^{_CATEGORY}$",
        required=False,
        default="",
        help_text="Only messages of this category; if left out, all.",
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=SOURCES,
        default=ConsentSource.API,
        help_text="Who said so. What is from `word`, `page` or `one_click` a person may take back by themselves.",
    )
    detail = serializers.CharField(required=False, default="", allow_blank=True, max_length=255)

    def validate_category(self, category: str) -> str:
        if category in _NO_CHOICE:
            detail = _("What was ordered or asked for is only suppressed with everything else: leave this out.")
            raise ValidationError(detail, code="invalid_choice")
        return category

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        kind = AddressKind(body["kind"])
        body["addresses"] = [addresses.normalized(address) for address in body["addresses"]]
        wrong = [n for n, each in enumerate(body["addresses"]) if not addresses.is_possible(kind, each)]
        if wrong:
            detail = ErrorDetail(addresses.what_is_wrong(kind), code="bad_address")
            raise ValidationError({f"addresses/{n}": [detail] for n in wrong[:MOST_MISTAKES]})
        return body


class SuppressionReader(serializers.ModelSerializer[Suppression]):
    address = serializers.CharField(source="value")
    category = serializers.CharField(help_text="Empty: nothing at all is sent there.")

    class Meta:
        model = Suppression
        fields = ["id", "kind", "address", "category", "source", "detail", "created_at"]
        read_only_fields = fields


class SuppressedReader(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Those that were suppressed before; nothing of them was changed.")


class ConsentBody(StrictSerializer):
    subject = serializers.RegexField(
        rf"^(all|category:{_CATEGORY}|channel:({'|'.join(NAMES)}))$",
        help_text="`all`, a category as `category:marketing`, or a channel as `channel:whatsapp_cloud`.",
    )
    is_given = serializers.BooleanField(help_text="True: the person allows it. False: they refuse it.")
    detail = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=255, help_text="Where and how they said so."
    )

    def validate_subject(self, subject: str) -> str:
        if subject.removeprefix("category:") in _NO_CHOICE:
            detail = _("What was ordered or asked for is no choice: people can only refuse it with `all`.")
            raise ValidationError(detail, code="invalid_choice")
        return subject


class ConsentReader(serializers.ModelSerializer[ConsentEvent]):
    class Meta:
        model = ConsentEvent
        fields = ["id", "subject", "is_given", "source", "detail", "at"]
        read_only_fields = fields


class SuppressionView(TenantView[Suppression]):
    model = Suppression
    reader = SuppressionReader


class SuppressionsView(SuppressionView):
    scopes = {"GET": Scope.MESSAGES_READ, "POST": Scope.MESSAGES_WRITE}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(
        parameters=[SuppressionFilters],
        responses=SuppressionReader(many=True),
        operation_id="suppressions_list",
    )
    def get(self, request: Request) -> Response:
        """Addresses that are not written to, newest first.

        With a filter a page may hold fewer than `limit` while `next` leads on.
        """
        wanted: dict[str, Any] = SuppressionFilters.read(request)
        candidates = self.get_queryset()
        if "address" in wanted:
            address = addresses.normalized(wanted.pop("address"))
            candidates = candidates.filter(kind__in=KINDS, value=address)
        found = self.paginator.sift(candidates, Q(**wanted), request)
        return self.paginator.get_paginated_response(SuppressionReader(found, many=True).data)

    @extend_schema(request=SuppressionsBody, responses={201: SuppressedReader}, operation_id="suppressions_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Write to these addresses no more: up to 1,000 of one kind. All of them, or none where one cannot be."""
        body = SuppressionsBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        wanted = set(said.pop("addresses"))
        source = ConsentSource(said.pop("source"))
        added = suppressions.put(self.principal, said.pop("kind"), sorted(wanted), source, **said)
        return Response({"added": len(added), "known": len(wanted) - len(added)}, status=201)


class OneSuppressionView(SuppressionView):
    scopes = {"DELETE": Scope.MESSAGES_WRITE}

    @extend_schema(responses={204: None}, operation_id="suppressions_destroy")
    def delete(self, request: Request, suppression_id: UUID) -> Response:
        """Write to this address again. What its person chose on their preference page still counts."""
        suppressions.remove(self.principal, self.get_object(suppression_id), ConsentSource.API)
        return Response(status=204)


class ConsentsView(ContactView):
    scopes = {"GET": Scope.MESSAGES_READ, "POST": Scope.MESSAGES_WRITE}

    @extend_schema(responses=ConsentReader(many=True), operation_id="contacts_consents_list")
    def get(self, request: Request, contact_id: UUID) -> Response:
        """What a person allowed and refused, when and where, newest first."""
        events = ConsentEvent.objects.for_organization(self.principal.organization)
        events = events.filter(contact=self.get_object(contact_id))
        rows = self.paginator.paginate_queryset(events, request, self)
        return self.paginator.get_paginated_response(ConsentReader(rows, many=True).data)

    @extend_schema(request=ConsentBody, responses={201: ConsentReader}, operation_id="contacts_consents_create")
    @idempotent
    def post(self, request: Request, contact_id: UUID) -> Response:
        """Record what a person said to your application. It counts from now on, for what already waits too."""
        contact = self.get_object(contact_id)
        body = ConsentBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        choice = Choice(said["subject"], said["is_given"])
        event = choices.record(self.principal, contact, choice, said["detail"])
        return Response(ConsentReader(event).data, status=201)
