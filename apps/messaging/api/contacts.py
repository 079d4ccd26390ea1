"""The people whom an organization writes to."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.roles import Scope
from apps.messaging.api.filters import ContactFilters
from apps.messaging.api.readers import ContactReader
from apps.messaging.contacts import reached_at
from apps.messaging.models import Contact


class ContactView(TenantView[Contact]):
    model = Contact
    reader = ContactReader

    def get_queryset(self) -> QuerySet[Contact]:
        return super().get_queryset().prefetch_related("addresses")


class ContactsView(ContactView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(parameters=[ContactFilters], responses=ContactReader(many=True), operation_id="contacts_list")
    def get(self, request: Request) -> Response:
        """Everybody who was written to, newest first."""
        return self.page(request)

    def get_queryset(self) -> QuerySet[Contact]:
        wanted: dict[str, Any] = ContactFilters.read(self.request)
        contacts = super().get_queryset()
        if "address" in wanted:
            contacts = contacts.filter(pk__in=reached_at([self.principal.organization.id], wanted["address"]))
        return contacts


class OneContactView(ContactView):
    scopes = {"GET": Scope.MESSAGES_READ}

    @extend_schema(responses=ContactReader, operation_id="contacts_retrieve")
    def get(self, request: Request, contact_id: UUID) -> Response:
        """One person and their addresses."""
        return Response(ContactReader(self.get_object(contact_id)).data)
