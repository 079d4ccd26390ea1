"""Files: bring one, list them, hand one out, delete one."""

from typing import Any, cast
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apps.accounts.idempotency import HEADER, carry_out_once
from apps.accounts.roles import Scope
from apps.core.api.problems import Problem, field_error
from apps.core.metrics.requests import UNCOUNTED
from apps.files import files, limits, uploads
from apps.files.api.bodies import LinkQuery
from apps.files.api.readers import FileLinkReader, FileReader
from apps.files.api.view import StorageView
from apps.files.intake.application import IN_SCOPE, Intake
from apps.files.intake.reading import MOST_BESIDES
from apps.files.models import File, UploadWay


class SendAForm(Problem):
    status_code = 415
    default_code = "unsupported_media_type"
    default_detail = _("Send the file as multipart/form-data, in a part named file with a filename.")


class UploadGone(Problem):
    status_code = 409
    default_code = "upload_ended"
    default_detail = _("This upload was aborted.")


class FileView(StorageView[File]):
    model = File
    reader = FileReader


class FilesView(FileView):
    scopes = {"GET": Scope.FILES_READ, "POST": Scope.FILES_WRITE}

    @property
    def intake(self) -> Intake | None:
        """Of a request whose body is read in front of Django."""
        scope: dict[str, Any] = getattr(self.request._request, "scope", {})
        return scope.get(IN_SCOPE)

    def perform_authentication(self, request: Request) -> None:
        """Once: an upload may take longer than a token lasts."""
        if self.intake is not None and self.intake.principal is not None:
            request.user = self.intake.principal  # type: ignore[assignment]
        else:
            super().perform_authentication(request)

    def get_throttles(self) -> list[BaseThrottle]:
        return [] if self.intake is not None and self.intake.is_received else super().get_throttles()

    @extend_schema(responses=FileReader(many=True), operation_id="files_list")
    def get(self, request: Request) -> Response:
        """Files, newest first."""
        return self.page(request)

    @extend_schema(
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
        parameters=[
            OpenApiParameter(
                "upload_id",
                OpenApiTypes.UUID,
                description="Chosen by you, so that `/v1/uploads/{id}` tells how far it is while it is received. "
                "The file has the same id.",
            )
        ],
        responses={201: FileReader},
        operation_id="files_create",
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Upload a file in one request, up to 2 GB. It is streamed: neither you nor we need hold it in memory.

        Larger than 16 MB, or over a bad line? `POST /v1/uploads` goes straight to the storage and can be resumed.
        """
        intake = self.intake
        if intake is None:
            raise SendAForm
        if not intake.is_received:
            return self._begin(intake)
        key = request.headers.get(HEADER)
        if key is None:
            return self._end(intake)
        assert intake.upload is not None
        said = {"name": intake.upload.name, "size": intake.size, "sha256": intake.sha256}
        return carry_out_once(self.principal, key, "POST /v1/files", said, lambda: self._end(intake))

    def _begin(self, intake: Intake) -> Response:
        organization = self.principal.organization
        length = intake.body_length
        least = 0 if length is None else max(0, length - MOST_BESIDES)
        upload = uploads.begin(
            organization, UploadWay.STREAMED, size=length, least=least, upload_id=_upload_id(self.request)
        )
        intake.principal = self.principal
        intake.largest = limits.largest_for(organization)
        # Last: from here on the body is read.
        intake.upload = upload
        begun = Response(status=200)
        setattr(begun, UNCOUNTED, True)
        return begun

    def _end(self, intake: Intake) -> Response:
        assert intake.upload is not None
        file = uploads.become_file(intake.upload, size=intake.size, sha256=intake.sha256, head=intake.head)
        if file is None:
            raise UploadGone
        return Response(FileReader(file).data, status=201)


class OneFileView(FileView):
    scopes = {"GET": Scope.FILES_READ, "DELETE": Scope.FILES_WRITE}

    @extend_schema(responses=FileReader, operation_id="files_retrieve")
    def get(self, request: Request, file_id: UUID) -> Response:
        """What is known of a file."""
        return Response(FileReader(self.get_object(file_id)).data)

    @extend_schema(responses={204: None}, operation_id="files_destroy")
    def delete(self, request: Request, file_id: UUID) -> Response:
        """Delete a file for good. Messages that wait with it fail, and say why."""
        files.delete(self.principal, self.get_object(file_id))
        return Response(status=204)


class FileLinkView(FileView):
    scopes = {"GET": Scope.FILES_READ}

    @extend_schema(parameters=[LinkQuery], responses=FileLinkReader, operation_id="files_presigned")
    def get(self, request: Request, file_id: UUID) -> Response:
        """A link for 15 minutes, straight to the storage; ranges work. Whoever has it may have the file."""
        query = LinkQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        wanted = cast("dict[str, str]", query.validated_data)
        file = self.get_object(file_id)
        if wanted["variant"] == "thumbnail":
            link = files.thumbnail_link(file)
            if link is None:
                raise NotFound(_("This file has no thumbnail, or none yet."), code="no_thumbnail")
        else:
            link = files.link(file, inline=wanted["disposition"] == "inline")
        return Response(FileLinkReader(link).data, headers={"Cache-Control": "no-store"})


def _upload_id(request: Request) -> UUID | None:
    text = request.query_params.get("upload_id")
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise field_error("upload_id", "invalid", str(_("This must be a UUID."))) from error
