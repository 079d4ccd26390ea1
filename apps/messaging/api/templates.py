"""Templates: what is written once and sent often."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.core.api.pagination import SiftedPages
from apps.messaging.api.filters import Filters
from apps.messaging.api.template_bodies import NewTemplateBody, OneTemplateChange, read_version
from apps.messaging.api.template_readers import TemplateReader
from apps.messaging.models import Template
from apps.messaging.wording import versions


class TemplateFilters(Filters):
    name = serializers.CharField(required=False, max_length=80)
    is_archived = serializers.ChoiceField(choices=["true", "false"], required=False)


class TemplateView(TenantView[Template]):
    model = Template
    reader = TemplateReader

    def get_queryset(self) -> QuerySet[Template]:
        return super().get_queryset().select_related("published")


class TemplatesView(TemplateView):
    scopes = {"GET": Scope.TEMPLATES_READ, "POST": Scope.TEMPLATES_WRITE}
    pagination_class = SiftedPages
    paginator: SiftedPages

    @extend_schema(
        parameters=[TemplateFilters], responses=TemplateReader(many=True), operation_id="templates_list"
    )
    def get(self, request: Request) -> Response:
        """Templates, newest first. With a filter a page may hold fewer than `limit` while `next` leads on."""
        wanted: dict[str, Any] = TemplateFilters.read(request)
        candidates = self.get_queryset()
        if "name" in wanted:
            candidates = candidates.filter(name=wanted["name"])
        sifted = Q(archived_at__isnull=wanted["is_archived"] == "false") if "is_archived" in wanted else Q()
        found = self.paginator.sift(candidates, sifted, request)
        return self.paginator.get_paginated_response(TemplateReader(found, many=True).data)

    @extend_schema(request=NewTemplateBody, responses={201: TemplateReader}, operation_id="templates_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Write a template. Its first version is a draft: publish it to send it. 409 `name_taken`."""
        body = NewTemplateBody(data=request.data)
        body.is_valid(raise_exception=True)
        version = versions.create(self.principal, **read_version(body.validated_data))
        return Response(TemplateReader(version.template).data, status=201)


class OneTemplateView(TemplateView):
    scopes = {"GET": Scope.TEMPLATES_READ, "PATCH": Scope.TEMPLATES_WRITE}

    @extend_schema(responses=TemplateReader, operation_id="templates_retrieve")
    def get(self, request: Request, template_id: UUID) -> Response:
        """One template."""
        return Response(TemplateReader(self.get_object(template_id)).data)

    @extend_schema(request=OneTemplateChange, responses=TemplateReader, operation_id="templates_update")
    def patch(self, request: Request, template_id: UUID) -> Response:
        """Change what it is for, or archive it. What it says is changed by a new version."""
        template = self.get_object(template_id)
        body = OneTemplateChange(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = dict(body.validated_data)
        is_archived = wanted.pop("is_archived", None)
        template = versions.change(self.principal, template, **wanted)
        if is_archived is not None:
            put = versions.archive if is_archived else versions.restore
            template = put(self.principal, template)
        return Response(TemplateReader(template).data)
