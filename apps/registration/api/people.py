"""The people of the vault: who sees them says why, and no copy stays on the way."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView
from apps.accounts.roles import Scope
from apps.core.api.problems import field_error
from apps.messaging.api.contacts import ErasureReader
from apps.registration import erasure
from apps.registration.api import reason
from apps.registration.api.pages import OlderPages
from apps.registration.api.people_readers import AccessReader, FoundReader, ListedPersonReader, PersonReader
from apps.registration.api.reason import ReasonBody, reason_of
from apps.registration.kinds import Kind
from apps.registration.validation.checking import Checked, check
from apps.registration.vault import people
from apps.registration.vault.digests import SEARCHABLE

LONGEST_VALUE = 400
JSON, CSV = "json", "csv"


class SearchBody(ReasonBody):
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind if kind in SEARCHABLE])
    value = serializers.CharField(
        max_length=LONGEST_VALUE, trim_whitespace=False, help_text="Whole, in any form that people write it in."
    )


class ExportBody(ReasonBody):
    format = serializers.ChoiceField(choices=[JSON, CSV], required=False, default=JSON)


class PersonView(ApiView):
    pagination_class = OlderPages

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def must_exist(self, person_id: UUID) -> None:
        if not people.overview(self.principal.organization, person_ids=[person_id]):
            raise NotFound


class PeopleView(PersonView):
    scopes = {"GET": Scope.PEOPLE_READ}

    @extend_schema(responses=ListedPersonReader(many=True), operation_id="people_list")
    def get(self, request: Request) -> Response:
        """That there are people, newest first, and nothing that they told."""
        pages = self.pagination_class()
        found = pages.turn(
            request,
            lambda before, most: people.overview(self.principal.organization, before=before, most=most),
        )
        return pages.get_paginated_response(ListedPersonReader(found, many=True).data)


class PeopleSearchView(PersonView):
    scopes = {"POST": Scope.PEOPLE_READ}

    @extend_schema(request=SearchBody, responses=FoundReader, operation_id="people_search")
    def post(self, request: Request) -> Response:
        """Who told this e-mail address, phone number or tax id. That is in the access log, without the value."""
        body = SearchBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        kind = Kind(wanted["kind"])
        checked = check(kind, wanted["value"])
        if not isinstance(checked, Checked):
            detail = _("This is none that could have been registered: %(kind)s.") % {"kind": kind.label}
            raise field_error("value", checked.code, detail)
        ids = people.find(
            self.principal.organization,
            kind,
            checked.value,
            actor=self.principal.actor,
            reason=wanted["reason"],
        )
        return Response({"ids": ids})


class OnePersonView(PersonView):
    scopes = {"GET": Scope.PEOPLE_READ}

    @extend_schema(parameters=[reason.PARAMETER], responses=PersonReader, operation_id="people_retrieve")
    def get(self, request: Request, person_id: UUID) -> Response:
        """What somebody told. Say why in `Access-Reason`, or it is refused: 400 `reason_required`."""
        self.must_exist(person_id)
        record = people.read(
            self.principal.organization, person_id, actor=self.principal.actor, reason=reason_of(request)
        )
        return Response(PersonReader(record).data)


class PersonAccessesView(PersonView):
    scopes = {"GET": Scope.PEOPLE_READ}

    @extend_schema(responses=AccessReader(many=True), operation_id="people_accesses")
    def get(self, request: Request, person_id: UUID) -> Response:
        """Who had to do with somebody's data, when and why, newest first; also of somebody who was erased."""
        pages, organization = self.pagination_class(), self.principal.organization
        found = pages.turn(
            request,
            lambda before, most: people.accesses(organization, person_id=person_id, before=before, most=most),
        )
        if not found and not people.accesses(organization, person_id=person_id, most=1):
            raise NotFound
        return pages.get_paginated_response(AccessReader(found, many=True).data)


class ExportPersonView(PersonView):
    scopes = {"POST": Scope.PEOPLE_READ}

    @extend_schema(
        request=ExportBody,
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, "text/csv"): OpenApiTypes.STR},
        operation_id="people_export",
    )
    def post(self, request: Request, person_id: UUID) -> Response | HttpResponse:
        """All that is known of somebody and who had to do with it, to be handed over to them."""
        self.must_exist(person_id)
        body = ExportBody(data=request.data)
        body.is_valid(raise_exception=True)
        document = people.export(
            self.principal.organization,
            person_id,
            actor=self.principal.actor,
            reason=body.validated_data["reason"],
        )
        if body.validated_data["format"] == JSON:
            return Response(document)
        headers = {
            "Content-Disposition": f'attachment; filename="person-{person_id}.csv"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(people.as_csv(document), content_type="text/csv; charset=utf-8", headers=headers)


class ErasePersonView(PersonView):
    scopes = {"POST": Scope.PEOPLE_WRITE}

    @extend_schema(request=ReasonBody, responses=ErasureReader, operation_id="people_erase")
    def post(self, request: Request, person_id: UUID) -> Response:
        """Forget somebody everywhere: in the vault, in conversations, in what webhooks were told.

        What is kept says that there was somebody, and no more of who. It cannot be undone. Where `under_way` of
        `messaging` is not 0, erase their contact once more when those messages have left.
        """
        self.must_exist(person_id)
        body = ReasonBody(data=request.data)
        body.is_valid(raise_exception=True)
        report = erasure.erase_person(self.principal, person_id, body.validated_data["reason"])
        return Response({"erased": report.as_dict()})
