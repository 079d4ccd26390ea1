"""What callers send about files and uploads."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.core.api.problems import field_error
from apps.core.api.serializers import StrictSerializer
from apps.files.stores.store import MOST_PARTS
from apps.files.uploads import MOST_SIGNED_AT_ONCE, Checksums

LONGEST_NAME = 1000
SHA256 = r"^[0-9a-fA-F]{64}$"


class NewUpload(StrictSerializer):
    name = serializers.CharField(
        max_length=LONGEST_NAME, trim_whitespace=False, help_text="Of the file; made harmless where it is not."
    )
    size = serializers.IntegerField(min_value=0, help_text="In bytes, exactly.")


class WantedParts(StrictSerializer):
    numbers = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_PARTS),
        min_length=1,
        max_length=MOST_SIGNED_AT_ONCE,
        help_text="From 1.",
    )

    def validate_numbers(self, value: list[int]) -> list[int]:
        return sorted(set(value))


class UploadChecksums(StrictSerializer):
    sha256 = serializers.RegexField(SHA256, required=False, help_text="Of all bytes, in hexadecimal.")
    parts_sha256 = serializers.RegexField(
        SHA256, required=False, help_text="Of the (binary) SHA-256s of all parts, one after the other."
    )

    def checksums(self) -> Checksums:
        self.is_valid(raise_exception=True)
        given: dict[str, Any] = {name: value.lower() for name, value in self.validated_data.items()}
        if not given:
            raise field_error(
                "sha256", "required", _("Give sha256 or parts_sha256: what arrived is held against it.")
            )
        return Checksums(**given)


class LinkQuery(StrictSerializer):
    disposition = serializers.ChoiceField(
        choices=["attachment", "inline"],
        default="attachment",
        help_text="`inline` shows images, audio, video and PDF in place. Markup is always saved.",
    )
    variant = serializers.ChoiceField(choices=["original", "thumbnail"], default="original")
