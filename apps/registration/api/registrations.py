"""Registrations: find them, ask somebody to register, give one back, cancel one. No personal data is in them."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.channels import addresses
from apps.core.api.pagination import SiftedPages
from apps.core.api.problems import field_error
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api import content_bodies
from apps.messaging.api.filters import Filters
from apps.messaging.api.schema import TemplateBody
from apps.messaging.api.values import Wrong
from apps.messaging.engine.new_message import WantedTemplate
from apps.registration import starting
from apps.registration.conversation import hand_back
from apps.registration.models import Registration, RegistrationFlow, RegistrationState


class RegistrationFilters(Filters):
    flow_id = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=RegistrationState.choices, required=False)
    conversation_id = serializers.UUIDField(required=False)


class StartBody(StrictSerializer):
    flow_id = serializers.UUIDField(help_text="A live one.")
    account_id = serializers.UUIDField(help_text="One of the flow's channel accounts, for the answers come there.")
    to = serializers.CharField(
        max_length=addresses.LONGEST,
        trim_whitespace=False,
        help_text="Whom: a phone number such as `+5511912345678`, or the channel's own id of a person.",
    )
    language = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=10,
        help_text="Of the conversation; the flow's first by default.",
    )
    template = TemplateBody(
        required=False, allow_null=True, help_text="Goes instead of the first words, where only a template may."
    )


class RegistrationReader(serializers.ModelSerializer[Registration]):
    flow_id = serializers.UUIDField()
    version = serializers.IntegerField(source="version.number", help_text="Of the flow's questions.")
    conversation_id = serializers.UUIDField()
    contact_id = serializers.UUIDField()
    person_id = serializers.UUIDField(
        allow_null=True, help_text="In the vault, once it is written there. It may be erased by now."
    )

    class Meta:
        model = Registration
        fields = [
            "id", "flow_id", "version", "conversation_id", "contact_id", "person_id", "language", "state", "step",
            "is_update", "started_by", "turns", "started_at", "changed_at", "ended_at", "applied_at",
        ]  # fmt: skip
        read_only_fields = fields


class RegistrationView(TenantView[Registration]):
    model = Registration
    reader = RegistrationReader

    def get_queryset(self) -> QuerySet[Registration]:
        """Without what was said, which nobody is shown here."""
        rows = super().get_queryset().select_related("version")
        return rows.defer("opening", "confirmed", "version__definition")

    def shown(self, registration: Registration, status: int = 200) -> Response:
        return Response(RegistrationReader(self.get_object(registration.pk)).data, status=status)


class RegistrationsView(RegistrationView):
    scopes = {"GET": Scope.REGISTRATIONS_READ, "POST": Scope.REGISTRATIONS_WRITE}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(
        parameters=[RegistrationFilters],
        responses=RegistrationReader(many=True),
        operation_id="registrations_list",
    )
    def get(self, request: Request) -> Response:
        """Registrations, newest first.

        A page looks at a bounded number of them: with a filter it may hold fewer than `limit`, or none, while
        `next` leads on.
        """
        found = self.paginator.sift(self.get_queryset(), Q(**RegistrationFilters.read(request)), request)
        return self.paginator.get_paginated_response(RegistrationReader(found, many=True).data)

    @extend_schema(request=StartBody, responses={201: RegistrationReader}, operation_id="registrations_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask somebody to register, with the flow's first words or a template. 409 `already_running`."""
        body = StartBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        flow = self._flow(wanted["flow_id"])
        started = starting.start(
            self.principal,
            flow,
            account_id=wanted["account_id"],
            to=wanted["to"],
            language=wanted.get("language", ""),
            template=_template(wanted.get("template")),
        )
        return self.shown(started, status=201)

    def _flow(self, flow_id: UUID) -> RegistrationFlow:
        flows = RegistrationFlow.objects.for_organization(self.principal.organization)
        flow = flows.select_related("published").filter(pk=flow_id).first()
        if flow is None:
            raise field_error("flow_id", "unknown_flow", _("There is no such flow."))
        return flow


class OneRegistrationView(RegistrationView):
    scopes = {"GET": Scope.REGISTRATIONS_READ}

    @extend_schema(responses=RegistrationReader, operation_id="registrations_retrieve")
    def get(self, request: Request, registration_id: UUID) -> Response:
        """How far a registration is, and how it ended."""
        return Response(RegistrationReader(self.get_object(registration_id)).data)


class HandBackView(RegistrationView):
    scopes = {"POST": Scope.REGISTRATIONS_WRITE}

    @extend_schema(request=None, responses=RegistrationReader, operation_id="registrations_hand_back")
    def post(self, request: Request, registration_id: UUID) -> Response:
        """The person of the team is done: it goes on where it stopped. 409 `not_handed_over`."""
        return self.shown(hand_back.hand_back(self.principal, self.get_object(registration_id)))


class CancelRegistrationView(RegistrationView):
    scopes = {"POST": Scope.REGISTRATIONS_WRITE}

    @extend_schema(request=None, responses=RegistrationReader, operation_id="registrations_cancel")
    def post(self, request: Request, registration_id: UUID) -> Response:
        """End a registration without a word to the person. 409 `has_ended`."""
        return self.shown(hand_back.cancel(self.principal, self.get_object(registration_id)))


def _template(given: Any) -> WantedTemplate | None:
    if given is None:
        return None
    try:
        return content_bodies.template(given)
    except Wrong as wrong:
        raise field_error(f"template/{wrong.field}".rstrip("/"), wrong.code, wrong.detail) from None
