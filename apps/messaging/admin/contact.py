from collections.abc import Sequence
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.messaging.admin.base import LongTableAdmin
from apps.messaging.contacts import reached_at
from apps.messaging.models import Contact
from apps.messaging.search import as_id


@admin.register(Contact)
class ContactAdmin(LongTableAdmin[Contact]):
    list_display = ["ways", "name", "created_at"]
    search_help_text = gettext_lazy("An id or an address, whole.")
    fields = ["id", "name", "ways", "created_at"]
    readonly_fields = ["id", "ways", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).prefetch_related("addresses")

    def find(self, organizations: Sequence[UUID], text: str) -> Sequence[UUID]:
        named = as_id(text)
        return [*([named] if named else []), *reached_at(organizations, text)]

    @admin.display(description=gettext_lazy("addresses"))
    def ways(self, contact: Contact) -> str:
        return ", ".join(each.value for each in contact.addresses.all()) or "–"
