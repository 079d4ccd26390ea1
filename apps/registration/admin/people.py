"""The people in the vault: who they are is shown to those who say why, and that is written down.

These pages are no model's own, because the vault lets nobody at its models. Nothing that a person told is ever in
an address; and no browser keeps a page, as of everything that goes through the admin's own view.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.messaging.consent.addresses import masked
from apps.messaging.models import Contact, ContactAddress
from apps.messaging.search import as_id
from apps.registration.admin import accesses
from apps.registration.admin.people_forms import FindForm, ReasonForm
from apps.registration.erasure import erase_person
from apps.registration.kinds import Kind
from apps.registration.models import Registration
from apps.registration.validation.showing import shown
from apps.registration.vault import people
from apps.registration.vault.people import PersonRecord

PAGE = 50
MOST_ACCESSES = 100
_MOST_ORGANIZATIONS = 200

type View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Row:
    person: PersonRecord
    contact: Contact | None
    # The contact's name, or else as much of an address as tells contacts apart.
    called: str
    url: str


class PeoplePages(TenantAdmin[Registration]):
    """The pages that the admin of registrations has besides its own."""

    def get_urls(self) -> list[URLPattern]:
        one = "people/<uuid:organization_id>/<uuid:person_id>/"
        return [
            path("people/", self._view(self.enter_people), name="registration_people"),
            path("people/<uuid:organization_id>/", self._view(self.list_people), name="registration_people_of"),
            path(one, self._view(self.show_person), name="registration_person"),
            path(f"{one}erase/", self._view(self.erase_person), name="registration_person_erase"),
            *super().get_urls(),
        ]

    def has_people_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Scope.PEOPLE_READ)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Scope.PEOPLE_WRITE)

    def enter_people(self, request: HttpRequest) -> HttpResponseBase:
        """Whoever runs the installation chooses whose people they have to do with."""
        member = acting_principal(request)
        if member is not None:
            return redirect("admin:registration_people_of", member.organization.pk)
        organizations = Organization.objects.order_by("name")[:_MOST_ORGANIZATIONS]
        rows = [(each.name, reverse("admin:registration_people_of", args=[each.pk])) for each in organizations]
        return self._people_page(request, "organizations", _("People"), organizations=rows)

    def list_people(self, request: HttpRequest, organization_id: UUID) -> HttpResponseBase:
        principal = self._people_principal(request, organization_id)
        form = FindForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            found = self._found(principal, form)
            # What was looked for is not sent back.
            return self._list(request, principal, found, form=FindForm(), is_search=True)
        before = as_id(request.GET.get("before", ""))
        page = people.overview(principal.organization, before=before, most=PAGE)
        older = f"?before={page[-1].id}" if len(page) == PAGE else None
        return self._list(request, principal, page, form=form, older=older)

    def show_person(self, request: HttpRequest, organization_id: UUID, person_id: UUID) -> HttpResponseBase:
        principal = self._people_principal(request, organization_id)
        person = self._person(principal, person_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            wanted = request.POST.get("act")
            if wanted in {"json", "csv"}:
                return _exported(principal, person_id, form.cleaned_data["reason"], wanted)
            context = self._told(principal, person_id, form.cleaned_data["reason"])
        (row,) = self._rows(principal, [person])
        return self._people_page(
            request,
            "person",
            _("Person: %(who)s") % {"who": row.called},
            row=row,
            erase=reverse("admin:registration_person_erase", args=[organization_id, person_id]),
            may_erase=self.has_erase_permission(request),
            back=reverse("admin:registration_people_of", args=[organization_id]),
            **context,
        )

    def erase_person(self, request: HttpRequest, organization_id: UUID, person_id: UUID) -> HttpResponseBase:
        if not self.has_erase_permission(request):
            raise PermissionDenied
        principal = self._people_principal(request, organization_id)
        person = self._person(principal, person_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        back = reverse("admin:registration_people_of", args=[organization_id])
        if form.is_valid():
            report = erase_person(principal, person_id, form.cleaned_data["reason"])
            messages.success(request, _("The person is erased."))
            counts = [
                (app, what.replace("_", " "), count)
                for app, done in report.as_dict().items()
                for what, count in done.items()
                if count
            ]
            return self._people_page(request, "erased", _("Erased"), counts=counts, back=back)
        (row,) = self._rows(principal, [person])
        return self._people_page(request, "erase", f"{_('Erase')}: {row.called}", form=form, back=row.url)

    def _view(self, page: View) -> View:
        def view(request: HttpRequest, **ids: UUID) -> HttpResponseBase:
            if not self.has_people_permission(request):
                raise PermissionDenied
            try:
                return self._guarded(page, request, **ids)
            except NotFound as gone:
                raise Http404 from gone

        guarded: View = self.admin_site.admin_view(view)
        return guarded

    def _people_page(self, request: HttpRequest, name: str, title: str, **context: Any) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "title": title, **context}
        return TemplateResponse(request, f"registration/admin/people/{name}.html", whole)

    def _list(
        self, request: HttpRequest, principal: Principal, found: list[PersonRecord], **context: Any
    ) -> TemplateResponse:
        rows = self._rows(principal, found)
        return self._people_page(request, "list", _("People"), rows=rows, **context)

    @staticmethod
    def _people_principal(request: HttpRequest, organization_id: UUID) -> Principal:
        member = acting_principal(request)
        if member is None:
            organization = Organization.objects.filter(pk=organization_id).first()
            if organization is None:
                raise Http404
            return principal_for(request, organization)
        if member.organization.pk != organization_id:
            raise Http404
        return member

    @staticmethod
    def _person(principal: Principal, person_id: UUID) -> PersonRecord:
        found = people.overview(principal.organization, person_ids=[person_id])
        if not found:
            raise Http404
        return found[0]

    @staticmethod
    def _found(principal: Principal, form: FindForm) -> list[PersonRecord]:
        said = form.cleaned_data
        ids = people.find(
            principal.organization,
            Kind(said["kind"]),
            said["value"],
            actor=principal.actor,
            reason=said["reason"],
        )
        return people.overview(principal.organization, person_ids=ids, most=people.MOST_AT_ONCE)

    @staticmethod
    def _rows(principal: Principal, found: Iterable[PersonRecord]) -> list[Row]:
        listed = list(found)
        organization = principal.organization
        contacts: dict[UUID | None, Contact] = {
            contact.pk: contact
            for contact in Contact.objects.for_organization(organization).filter(
                pk__in=[person.contact_id for person in listed if person.contact_id]
            )
        }
        called = _names_of(organization, contacts.values())
        return [
            Row(
                person,
                contacts.get(person.contact_id),
                called.get(person.contact_id) or _("(no name)"),
                reverse("admin:registration_person", args=[organization.pk, person.id]),
            )
            for person in listed
        ]

    @staticmethod
    def _told(principal: Principal, person_id: UUID, reason: str) -> dict[str, Any]:
        """What the page shows once, and who saw it, this time included."""
        organization = principal.organization
        record = people.read(organization, person_id, actor=principal.actor, reason=reason)
        fields = [
            (_called(name, field.kind), shown(field.kind, field.value), field.changed_at)
            for name, field in record.values.items()
        ]
        log = people.accesses(organization, person_id=person_id, most=MOST_ACCESSES)
        return {"fields": fields, "accesses": accesses.in_words(log), "is_shown": True}


def _names_of(organization: Organization, contacts: Iterable[Contact]) -> dict[UUID | None, str]:
    """Their own, or their oldest address, masked: who looks at a list has not said why."""
    names: dict[UUID | None, str] = {contact.pk: contact.name for contact in contacts}
    nameless = [contact_id for contact_id, name in names.items() if not name]
    addresses = ContactAddress.objects.for_organization(organization).filter(contact__in=nameless)
    oldest = addresses.order_by("contact", "pk").distinct("contact")
    return names | {each.contact_id: masked(each.kind, each.value) for each in oldest}


def _called(name: str, kind: Kind) -> str:
    return str(kind.label) if name == kind else name


def _exported(principal: Principal, person_id: UUID, reason: str, wanted: str) -> HttpResponse:
    document = people.export(principal.organization, person_id, actor=principal.actor, reason=reason)
    if wanted == "csv":
        # With a mark by which spreadsheets know the letters.
        answer = HttpResponse("\ufeff" + people.as_csv(document), content_type="text/csv; charset=utf-8")
    else:
        answer = HttpResponse(orjson.dumps(document, option=orjson.OPT_INDENT_2), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="person-{person_id}.{wanted}"'
    return answer
