"""What callers send about templates. What may be in a text, wording/checks.py says."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from apps.channels.content import MediaKind
from apps.channels.registry import choices
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api import content_bodies
from apps.messaging.api.values import Wrong
from apps.messaging.models import TemplateText
from apps.messaging.statuses import Category
from apps.messaging.wording.formats import normalized
from apps.messaging.wording.rendering import LONGEST_SOURCE
from apps.messaging.wording.variables import Variable, VariableType

# Of a source with the names of variables in it: what it says may be shorter.
LONGEST_TITLE = 200


class SampleField(serializers.JSONField):
    """A text, a number, or true or false."""


class VariableBody(StrictSerializer):
    name = serializers.RegexField(r"^[a-z][a-z0-9_]{0,39}$", help_text="As `{{ name }}` has it.")
    type = serializers.ChoiceField(choices=list(VariableType))
    sample = SampleField(help_text="What a preview shows. Money is `149.90 BRL`, a date `2026-03-01`.")
    is_required = serializers.BooleanField(
        default=True, help_text="What is not required may be left out, and is blank."
    )


class TextMediaBody(StrictSerializer):
    kind = serializers.ChoiceField(choices=[kind.value for kind in MediaKind])
    url = serializers.CharField(max_length=content_bodies.LONGEST_URL, help_text="May hold variables.")
    file_name = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=content_bodies.LONGEST_FILE_NAME
    )
    media_type = serializers.RegexField(
        r"^([a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60})?$", required=False, allow_blank=True, default=""
    )


class TextButtonBody(StrictSerializer):
    id = serializers.CharField(max_length=64, trim_whitespace=False)
    title = serializers.CharField(max_length=LONGEST_TITLE, help_text="May hold variables.")


class WhatsappBody(StrictSerializer):
    name = serializers.RegexField(r"^[a-z0-9_]{1,512}$", help_text="Of the template that WhatsApp approved.")
    language = serializers.RegexField(
        r"^([a-z]{2,3}(_[A-Za-z]{2,4})?)?$",
        required=False,
        allow_blank=True,
        default="",
        help_text="As WhatsApp writes it; the text's, if left out.",
    )
    components = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        default=list,
        max_length=20,
        help_text="WhatsApp's, with variables in the strings. If left out, the variables in order, in the body.",
    )


class TextBody(StrictSerializer):
    language = serializers.CharField(max_length=20, help_text="Such as `en` or `pt-BR`.")
    subject = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=content_bodies.LONGEST_SUBJECT,
        help_text="Of e-mails; other channels leave it out.",
    )  # fmt: skip
    body = serializers.CharField(
        required=False, allow_blank=True, default="", trim_whitespace=False, max_length=LONGEST_SOURCE
    )
    media = TextMediaBody(required=False, allow_null=True, default=None)
    buttons = TextButtonBody(many=True, required=False, default=list)
    whatsapp = WhatsappBody(required=False, allow_null=True, default=None)

    def validate_language(self, value: str) -> str:
        return normalized(value) or value


class VersionBody(StrictSerializer):
    variables = VariableBody(many=True, required=False)
    texts = TextBody(many=True, required=False, help_text="One a language; the first is the default.")


class NewVersionBody(VersionBody):
    copy_of = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**31 - 1,
        help_text="The number of the version to begin with.",
    )  # fmt: skip


class TemplateChange(StrictSerializer):
    category = serializers.RegexField(
        r"^[a-z][a-z0-9_]{0,39}$",
        required=False,
        help_text="`transactional`, `billing`, `marketing` or one of your own: people choose what they want.",
    )
    description = serializers.CharField(required=False, allow_blank=True, max_length=255)

    def validate_category(self, value: str) -> str:
        try:
            return content_bodies.category(value)
        except Wrong as wrong:
            raise ValidationError([ErrorDetail(wrong.detail, code=wrong.code)]) from None


class OneTemplateChange(TemplateChange):
    is_archived = serializers.BooleanField(required=False, help_text="Nothing is sent by an archived template.")


class NewTemplateBody(TemplateChange, VersionBody):
    name = serializers.SlugField(max_length=80, help_text="What messages call it by. It stays.")
    category = serializers.RegexField(r"^[a-z][a-z0-9_]{0,39}$", required=False, default=Category.TRANSACTIONAL)


class PreviewBody(StrictSerializer):
    language = serializers.CharField(required=False, allow_blank=True, max_length=20)
    variables = serializers.DictField(required=False, help_text="The samples, where these are left out.")
    channel = serializers.ChoiceField(choices=choices(), required=False, help_text="All, if left out.")


def read_version(given: dict[str, Any]) -> dict[str, Any]:
    """Of a body that is valid, what wording/versions.py takes."""
    read = dict(given)
    if "variables" in given:
        read["variables"] = [
            Variable(**{**each, "type": VariableType(each["type"])}) for each in given["variables"]
        ]
    if "texts" in given:
        read["texts"] = [_text(each) for each in given["texts"]]
    return read


def _text(given: dict[str, Any]) -> TemplateText:
    parts = {name: given[name] for name in ("media", "buttons") if given[name]}
    whatsapp = given["whatsapp"] or {"name": "", "language": "", "components": []}
    return TemplateText(
        language=given["language"],
        subject=given["subject"],
        body=given["body"],
        content=parts,
        whatsapp_name=whatsapp["name"],
        whatsapp_language=whatsapp["language"],
        whatsapp_components=whatsapp["components"],
    )
