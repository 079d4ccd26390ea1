"""What the API shows of templates."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.channels.content import Content, MediaKind, as_document
from apps.channels.registry import choices
from apps.messaging.models import Template, TemplateText, TemplateVersion
from apps.messaging.wording.preview import Preview
from apps.messaging.wording.variables import VariableType


class TemplateReader(serializers.ModelSerializer[Template]):
    published_version = serializers.IntegerField(
        source="published.number", default=None, allow_null=True, help_text="Null while there is nothing to send."
    )

    class Meta:
        model = Template
        fields = ["id", "name", "category", "description", "published_version", "archived_at", "created_at"]
        read_only_fields = fields


class VariableReader(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=list(VariableType))
    sample = serializers.JSONField()
    is_required = serializers.BooleanField()


class TextMediaReader(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=[kind.value for kind in MediaKind])
    url = serializers.CharField()
    file_name = serializers.CharField(allow_blank=True)
    media_type = serializers.CharField(allow_blank=True)


class TextButtonReader(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField()


class WhatsappReader(serializers.Serializer[Any]):
    name = serializers.CharField(source="whatsapp_name")
    language = serializers.CharField(source="whatsapp_language", allow_blank=True)
    components = serializers.ListField(child=serializers.DictField(), source="whatsapp_components")


class TextReader(serializers.ModelSerializer[TemplateText]):
    media = serializers.SerializerMethodField()
    buttons = serializers.SerializerMethodField()
    whatsapp = serializers.SerializerMethodField()

    class Meta:
        model = TemplateText
        fields = ["language", "subject", "body", "media", "buttons", "whatsapp"]
        read_only_fields = fields

    @extend_schema_field(TextMediaReader(allow_null=True))
    def get_media(self, text: TemplateText) -> Mapping[str, str] | None:
        media: Mapping[str, str] | None = text.content.get("media")
        return media

    @extend_schema_field(TextButtonReader(many=True))
    def get_buttons(self, text: TemplateText) -> list[Mapping[str, str]]:
        return list(text.content.get("buttons", ()))

    @extend_schema_field(WhatsappReader(allow_null=True))
    def get_whatsapp(self, text: TemplateText) -> Mapping[str, Any] | None:
        return WhatsappReader(text).data if text.whatsapp_name else None


class VersionReader(serializers.ModelSerializer[TemplateVersion]):
    """Its texts come in order, where the queryset fetched them so."""

    template_id = serializers.UUIDField()
    variables = VariableReader(many=True)
    texts = TextReader(many=True)

    class Meta:
        model = TemplateVersion
        fields = ["template_id", "number", "variables", "texts", "published_at", "created_at"]
        read_only_fields = fields


class ProblemReader(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Which part of the text.")
    code = serializers.CharField()
    detail = serializers.CharField()


class PreviewReader(serializers.Serializer[Preview]):
    channel = serializers.ChoiceField(choices=choices())
    text = serializers.SerializerMethodField(help_text="What the person reads; null where it cannot be said.")
    content = serializers.SerializerMethodField(help_text="Besides the text, as messages show it.")
    problem = ProblemReader(allow_null=True, help_text="Why this channel would refuse it.")

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_text(self, preview: Preview) -> str | None:
        return preview.content.text if preview.content else None

    @extend_schema_field(serializers.DictField())
    def get_content(self, preview: Preview) -> Mapping[str, Any]:
        return as_document(preview.content or Content())


class PreviewsReader(serializers.Serializer[Any]):
    language = serializers.CharField(help_text="Of the text that was taken.")
    channels = PreviewReader(many=True)
