"""Uploads: straight to the storage in parts, resumed, completed or given up; and how far any upload is."""

from contextlib import suppress
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.files import uploads
from apps.files.api.bodies import NewUpload, UploadChecksums, WantedParts
from apps.files.api.readers import (
    ArrivedPartsReader,
    PartReader,
    SignedPartReader,
    SignedPartsReader,
    UploadReader,
)
from apps.files.api.view import StorageView
from apps.files.models import Upload, UploadState, UploadWay
from apps.files.stores.store import StoreFailed


class UploadView(StorageView[Upload]):
    model = Upload
    reader = UploadReader


class UploadsView(UploadView):
    scopes = {"GET": Scope.FILES_READ, "POST": Scope.FILES_WRITE}

    @extend_schema(responses=UploadReader(many=True), operation_id="uploads_list")
    def get(self, request: Request) -> Response:
        """Uploads of the last days, newest first."""
        return self.page(request)

    @extend_schema(request=NewUpload, responses={201: UploadReader}, operation_id="uploads_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Begin an upload that goes straight to the storage, in parts of `part_size` bytes.

        Ask for links to its parts, PUT them in any order and several at a time, then complete it.
        """
        body = NewUpload(data=request.data)
        body.is_valid(raise_exception=True)
        upload = uploads.begin_direct(self.principal.organization, **body.validated_data)
        return Response(UploadReader(upload).data, status=201)


class OneUploadView(UploadView):
    scopes = {"GET": Scope.FILES_READ}

    @extend_schema(responses=UploadReader, operation_id="uploads_retrieve")
    def get(self, request: Request, upload_id: UUID) -> Response:
        """How far an upload is, whichever way it comes."""
        upload = self.get_object(upload_id)
        if upload.state == UploadState.RECEIVING and upload.way == UploadWay.DIRECT:
            with suppress(StoreFailed):
                upload.received = sum(part.size for part in uploads.arrived(upload))
        return Response(UploadReader(upload).data)


class UploadPartsView(UploadView):
    scopes = {"GET": Scope.FILES_READ, "POST": Scope.FILES_WRITE}

    @extend_schema(responses=ArrivedPartsReader, operation_id="uploads_parts_list")
    def get(self, request: Request, upload_id: UUID) -> Response:
        """The parts that arrived: whoever resumes an upload brings the others."""
        parts = uploads.arrived(self.get_object(upload_id))
        return Response({"data": PartReader(parts, many=True).data})

    @extend_schema(request=WantedParts, responses=SignedPartsReader, operation_id="uploads_parts_sign")
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Links to bring parts by, for an hour; ask again as often as needed."""
        upload = self.get_object(upload_id)
        body = WantedParts(data=request.data)
        body.is_valid(raise_exception=True)
        signed = uploads.sign_parts(upload, body.validated_data["numbers"])
        data = SignedPartReader(signed, many=True).data
        return Response({"data": data}, headers={"Cache-Control": "no-store"})


class CompleteUploadView(UploadView):
    scopes = {"POST": Scope.FILES_WRITE}

    @extend_schema(request=UploadChecksums, responses={202: UploadReader}, operation_id="uploads_complete")
    def post(self, request: Request, upload_id: UUID) -> Response:
        """All parts are there. They are read once and held against the checksum.

        Ask for the upload until it is `ready` or `refused`.
        """
        upload = uploads.complete(self.get_object(upload_id), UploadChecksums(data=request.data).checksums())
        return Response(UploadReader(upload).data, status=202)


class AbortUploadView(UploadView):
    scopes = {"POST": Scope.FILES_WRITE}

    @extend_schema(request=None, responses=UploadReader, operation_id="uploads_abort")
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Give an upload up. Nothing of it is kept."""
        return Response(UploadReader(uploads.abort(self.get_object(upload_id))).data)
