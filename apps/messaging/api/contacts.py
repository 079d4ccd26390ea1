"""The people whom an organization writes to."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.core.api.serializers import StrictSerializer
from apps.messaging import contacts, erasure
from apps.messaging.api.filters import ContactFilters
from apps.messaging.api.readers import AddressReader, ContactReader
from apps.messaging.models import Contact, ContactAddress


class AddressBody(StrictSerializer):
    kind = serializers.ChoiceField(choices=[kind.value for kind in AddressKind])
    value = serializers.CharField(max_length=addresses.LONGEST)

    def validate(self, said: dict[str, str]) -> dict[str, Any]:
        return {"way": contacts.way(said["kind"], said["value"])}


class ContactChange(StrictSerializer):
    name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    language = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=10,
        validators=[contacts.check_language],
        help_text="Such as `pt-br` or `en`; empty where nobody knows.",
    )
    time_zone = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=64,
        validators=[contacts.check_time_zone],
        help_text="Such as `America/Sao_Paulo`; empty where nobody knows.",
    )


class NewContact(ContactChange):
    # Its stubs do not know what `many` makes of it.
    addresses = AddressBody(many=True, required=False, max_length=contacts.MOST_ADDRESSES)  # type: ignore[call-arg]


class MergeBody(StrictSerializer):
    into = serializers.UUIDField(help_text="The contact that remains.")


class EraseBody(StrictSerializer):
    reason = serializers.CharField(max_length=200, help_text="The audit trail keeps it.")


class ErasureReader(serializers.Serializer[Any]):
    erased = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()), help_text="What was done, counted, by app."
    )


class ContactView(TenantView[Contact]):
    model = Contact
    reader = ContactReader

    def get_queryset(self) -> QuerySet[Contact]:
        return super().get_queryset().prefetch_related("addresses")


class ContactsView(ContactView):
    scopes = {"GET": Scope.MESSAGES_READ, "POST": Scope.MESSAGES_WRITE}

    @extend_schema(parameters=[ContactFilters], responses=ContactReader(many=True), operation_id="contacts_list")
    def get(self, request: Request) -> Response:
        """Everybody who is known, newest first. By `name`, of very many only the first 200 in the alphabet."""
        return self.page(request)

    @extend_schema(request=NewContact, responses={201: ContactReader}, operation_id="contacts_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Add a person. Whoever is written to is added by that, without a name."""
        body = NewContact(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        ways = [each["way"] for each in wanted.pop("addresses", ())]
        contact = contacts.add(self.principal, ways=ways, **wanted)
        return Response(ContactReader(contact).data, status=201)

    def get_queryset(self) -> QuerySet[Contact]:
        wanted: dict[str, Any] = ContactFilters.read(self.request)
        found = super().get_queryset()
        organizations = [self.principal.organization.id]
        if "address" in wanted:
            found = found.filter(pk__in=contacts.reached_at(organizations, wanted["address"]))
        if "name" in wanted:
            found = found.filter(pk__in=contacts.named(organizations, wanted["name"]))
        return found


class OneContactView(ContactView):
    scopes = {"GET": Scope.MESSAGES_READ, "PATCH": Scope.MESSAGES_WRITE}

    @extend_schema(responses=ContactReader, operation_id="contacts_retrieve")
    def get(self, request: Request, contact_id: UUID) -> Response:
        """One person and their addresses."""
        return Response(ContactReader(self.get_object(contact_id)).data)

    @extend_schema(request=ContactChange, responses=ContactReader, operation_id="contacts_update")
    def patch(self, request: Request, contact_id: UUID) -> Response:
        """Change a person's name, language or time zone; what is left out stays."""
        contact = self.get_object(contact_id)
        body = ContactChange(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(ContactReader(contacts.change(self.principal, contact, **body.validated_data)).data)


class ContactAddressesView(ContactView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=AddressBody, responses={201: AddressReader}, operation_id="contacts_addresses_create")
    @idempotent
    def post(self, request: Request, contact_id: UUID) -> Response:
        """Add an address to a person; the conversations there are theirs from now on.

        An address belongs to one person: 409 `address_taken` tells whose it is in `contact_id`.
        """
        contact = self.get_object(contact_id)
        body = AddressBody(data=request.data)
        body.is_valid(raise_exception=True)
        address = contacts.add_address(self.principal, contact, body.validated_data["way"])
        return Response(AddressReader(address).data, status=201)


class OneContactAddressView(TenantView[ContactAddress]):
    model = ContactAddress
    reader = AddressReader
    scopes = {"DELETE": Scope.MESSAGES_WRITE}

    def get_queryset(self) -> QuerySet[ContactAddress]:
        return super().get_queryset().select_related("contact")

    @extend_schema(responses={204: None}, operation_id="contact_addresses_delete")
    def delete(self, request: Request, address_id: UUID) -> Response:
        """Take an address from a person. What was said there stays with them."""
        contacts.remove_address(self.principal, self.get_object(address_id))
        return Response(status=204)


class MergeContactView(ContactView):
    scopes = {"POST": Scope.MESSAGES_WRITE}

    @extend_schema(request=MergeBody, responses=ContactReader, operation_id="contacts_merge")
    def post(self, request: Request, contact_id: UUID) -> Response:
        """Two contacts are one person: this one becomes part of `into`, which is answered, and is gone.

        Addresses, conversations and consents move. What either refused stays refused; the name, language, time
        zone and quiet hours of `into` are kept where it has any.
        """
        merged = self.get_object(contact_id)
        body = MergeBody(data=request.data)
        body.is_valid(raise_exception=True)
        into = self.get_queryset().filter(pk=body.validated_data["into"]).first()
        if into is None:
            raise NotFound
        return Response(ContactReader(contacts.merge(self.principal, merged, into)).data)


class EraseContactView(ContactView):
    scopes = {"POST": Scope.PEOPLE_WRITE}

    @extend_schema(request=EraseBody, responses=ErasureReader, operation_id="contacts_erase")
    def post(self, request: Request, contact_id: UUID) -> Response:
        """Forget a person everywhere: their addresses, what was said, and all that other parts know of them.

        What is kept says that there was somebody, and no more of who. It cannot be undone. Where `under_way` of
        `messaging` is not 0, something is at a provider now: erase once more when it has left.
        """
        contact = self.get_object(contact_id)
        body = EraseBody(data=request.data)
        body.is_valid(raise_exception=True)
        report = erasure.erase(self.principal, contact, body.validated_data["reason"])
        return Response({"erased": report.as_dict()})
