"""What the API shows of files and of uploads."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.files import uploads
from apps.files.media_types import kind_of
from apps.files.models import File, Thumbnail, Upload


class FileReader(serializers.ModelSerializer[File]):
    media_type = serializers.CharField(help_text="By its content.")
    kind = serializers.SerializerMethodField(help_text="What it would be in a message.")
    has_thumbnail = serializers.SerializerMethodField()
    sha256 = serializers.CharField(help_text="Of all its bytes, in hexadecimal.")

    class Meta:
        model = File
        fields = ["id", "name", "size", "sha256", "media_type", "kind", "has_thumbnail", "is_used", "created_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["image", "audio", "video", "document"]))
    def get_kind(self, file: File) -> str:
        return kind_of(file.media_type)

    def get_has_thumbnail(self, file: File) -> bool:
        return file.thumbnail == Thumbnail.MADE


class FileLinkReader(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Whoever has it may download the file, in ranges too, until it expires.")
    expires_at = serializers.DateTimeField()


class UploadErrorReader(serializers.Serializer[Any]):
    code = serializers.CharField(source="error_code")
    detail = serializers.CharField(source="error_detail")


class UploadReader(serializers.ModelSerializer[Upload]):
    size = serializers.IntegerField(
        allow_null=True,
        help_text="As announced; of a streamed body a little more than the file itself, until it is ready.",
    )
    received = serializers.IntegerField(help_text="Bytes, about a second ago.")
    part_size = serializers.IntegerField(help_text="Of every part but the last, of a direct upload.")
    part_count = serializers.SerializerMethodField()
    file_id = serializers.SerializerMethodField(help_text="Once it is ready.")
    error = serializers.SerializerMethodField(help_text="Why it was refused.")
    expires_at = serializers.SerializerMethodField(
        help_text="When it is given up, if nothing is heard of it until then."
    )

    class Meta:
        model = Upload
        fields = [
            "id", "way", "state", "name", "size", "received", "part_size", "part_count", "file_id", "error",
            "created_at", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_part_count(self, upload: Upload) -> int:
        return uploads.part_count(upload)

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_file_id(self, upload: Upload) -> str | None:
        return str(upload.id) if upload.state == "ready" else None

    @extend_schema_field(UploadErrorReader(allow_null=True))
    def get_error(self, upload: Upload) -> Any:
        return UploadErrorReader(upload).data if upload.error_code else None

    @extend_schema_field(serializers.DateTimeField())
    def get_expires_at(self, upload: Upload) -> Any:
        return uploads.expires_at(upload)


class PartReader(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    size = serializers.IntegerField()


class ArrivedPartsReader(serializers.Serializer[Any]):
    # `data` is a property of serializers.
    def get_fields(self) -> dict[str, Any]:
        return {"data": PartReader(many=True)}


class SignedPartReader(PartReader):
    url = serializers.CharField(help_text="PUT exactly `size` bytes there, with no credentials of ours.")
    expires_at = serializers.DateTimeField()


class SignedPartsReader(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {"data": SignedPartReader(many=True)}
