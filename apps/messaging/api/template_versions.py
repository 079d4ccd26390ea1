"""Versions of a template: drafts that are written, and what was published and stays."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.channels.registry import NAMES
from apps.core.api.problems import field_error
from apps.messaging.api.template_bodies import NewVersionBody, PreviewBody, VersionBody, read_version
from apps.messaging.api.template_readers import PreviewsReader, VersionReader
from apps.messaging.api.templates import TemplateView
from apps.messaging.models import TemplateVersion
from apps.messaging.wording import versions
from apps.messaging.wording.compose import text_for
from apps.messaging.wording.contents import TEXTS_IN_ORDER
from apps.messaging.wording.preview import previews
from apps.messaging.wording.variables import BadVariable, declared_by


class VersionView(TemplateView):
    def versions_of(self, template_id: UUID) -> QuerySet[TemplateVersion]:
        template = self.get_object(template_id)
        found = TemplateVersion.objects.for_organization(self.principal.organization).filter(template=template)
        return found.select_related("template").prefetch_related(TEXTS_IN_ORDER)

    def get_version(self, template_id: UUID, number: int) -> TemplateVersion:
        found = self.versions_of(template_id).filter(number=number).first()
        if found is None:
            raise NotFound
        return found


class VersionsView(VersionView):
    scopes = {"GET": Scope.TEMPLATES_READ, "POST": Scope.TEMPLATES_WRITE}

    @extend_schema(responses=VersionReader(many=True), operation_id="templates_versions_list")
    def get(self, request: Request, template_id: UUID) -> Response:
        """The versions of a template, newest first."""
        rows = self.paginator.paginate_queryset(self.versions_of(template_id), request, self)
        return self.paginator.get_paginated_response(VersionReader(rows, many=True).data)

    @extend_schema(
        request=NewVersionBody, responses={201: VersionReader}, operation_id="templates_versions_create"
    )
    @idempotent
    def post(self, request: Request, template_id: UUID) -> Response:
        """Begin a new draft: empty, with what you send, or as a copy of which you send what is to be other."""
        template = self.get_object(template_id)
        body = NewVersionBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = read_version(body.validated_data)
        copied = wanted.pop("copy_of", None)
        begun = {"variables": [], "texts": []} if copied is None else self._copy(template_id, copied)
        version = versions.draft(self.principal, template, **(begun | wanted))
        return Response(VersionReader(version).data, status=201)

    def _copy(self, template_id: UUID, number: int) -> dict[str, list[object]]:
        copied = self.versions_of(template_id).filter(number=number).first()
        if copied is None:
            raise field_error("copy_of", "unknown_version", _("There is no such version."))
        return {"variables": [*declared_by(copied)], "texts": [*copied.texts.all()]}


class OneVersionView(VersionView):
    scopes = {"GET": Scope.TEMPLATES_READ, "PATCH": Scope.TEMPLATES_WRITE}

    @extend_schema(responses=VersionReader, operation_id="templates_versions_retrieve")
    def get(self, request: Request, template_id: UUID, number: int) -> Response:
        """One version."""
        return Response(VersionReader(self.get_version(template_id, number)).data)

    @extend_schema(request=VersionBody, responses=VersionReader, operation_id="templates_versions_update")
    def patch(self, request: Request, template_id: UUID, number: int) -> Response:
        """Change a draft; `variables` and `texts` take the place of all there were. 409 `published`."""
        version = self.get_version(template_id, number)
        body = VersionBody(data=request.data)
        body.is_valid(raise_exception=True)
        version = versions.rewrite(self.principal, version, **read_version(body.validated_data))
        return Response(VersionReader(version).data)


class PublishVersionView(VersionView):
    scopes = {"POST": Scope.TEMPLATES_WRITE}

    @extend_schema(request=None, responses=VersionReader, operation_id="templates_versions_publish")
    def post(self, request: Request, template_id: UUID, number: int) -> Response:
        """Send this version from now on. It stays as it is; an older one may be published again."""
        version = versions.publish(self.principal, self.get_version(template_id, number))
        return Response(VersionReader(version).data)


class PreviewVersionView(VersionView):
    scopes = {"POST": Scope.TEMPLATES_READ}

    @extend_schema(request=PreviewBody, responses=PreviewsReader, operation_id="templates_versions_preview")
    def post(self, request: Request, template_id: UUID, number: int) -> Response:
        """What would be sent on each channel, and what a channel would refuse. Nothing is sent."""
        version = self.get_version(template_id, number)
        body = PreviewBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        texts = list(version.texts.all())
        if not texts:
            raise versions.SaysNothing
        text = text_for(texts, wanted.get("language", ""))
        try:
            shown = list(
                previews(
                    version,
                    text,
                    [wanted["channel"]] if "channel" in wanted else NAMES,
                    organization=self.principal.organization.name,
                    given=wanted.get("variables"),
                )
            )
        except BadVariable as bad:
            raise field_error(f"variables/{bad.name[:60]}", bad.code, bad.detail) from None
        return Response(PreviewsReader({"language": text.language, "channels": shown}).data)
