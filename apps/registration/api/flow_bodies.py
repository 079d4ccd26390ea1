"""What callers send about registration flows.

Questions and texts are only described here: apps.registration.definition is what reads them.
"""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.core.api.serializers import StrictSerializer
from apps.messaging.api.filters import Filters
from apps.registration import definition, flows, funnel
from apps.registration.kinds import Kind
from apps.registration.models.flow import LONGEST_KEYWORD, LONGEST_URL

_SMALL = 32_767
# Minutes.
_WEEK = 10_080


class FlowBody(StrictSerializer):
    name = serializers.CharField(max_length=80)
    position = serializers.IntegerField(
        min_value=-_SMALL,
        max_value=_SMALL,
        required=False,
        help_text="Of several flows that a message could start, the lowest starts.",
    )
    accounts = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=flows.MOST_ACCOUNTS,
        required=False,
        help_text="Channel accounts: who writes there can start it.",
    )
    keywords = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_KEYWORD),
        max_length=flows.MOST_KEYWORDS,
        required=False,
        help_text="Each starts it where it is all that somebody writes, whatever its case and accents.",
    )
    starts_by_intent = serializers.BooleanField(
        required=False, help_text="Also whoever says in other words that they want to register."
    )
    remind_after = serializers.IntegerField(
        min_value=1,
        max_value=_WEEK,
        required=False,
        help_text="Minutes without an answer until it asks once more…",
    )
    close_after = serializers.IntegerField(
        min_value=1, max_value=_WEEK, required=False, help_text="…and then until it closes."
    )
    redact_after = serializers.IntegerField(
        min_value=0,
        max_value=3_650,
        required=False,
        allow_null=True,
        help_text="Days after the end until what people wrote is made unreadable. Null: never.",
    )
    keep_days = serializers.IntegerField(
        min_value=1,
        max_value=7_300,
        required=False,
        allow_null=True,
        help_text="Days after the last change until the person is erased from the vault. Null: never.",
    )
    told_by = serializers.UUIDField(
        required=False, allow_null=True, help_text="An account of yours that sends webhooks; it tells…"
    )
    told_at = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_URL,
        help_text="…this URL of each registration that is completed, signed.",
    )


class WordsField(serializers.DictField):
    """By language."""

    child = serializers.CharField(allow_blank=True, max_length=definition.LONGEST_TEXT)


class QuestionBody(serializers.Serializer[Any]):
    key = serializers.RegexField(
        r"^[a-z][a-z0-9_]{0,39}$", required=False, help_text="By which the answer is known; its kind by default."
    )
    kind = serializers.ChoiceField(choices=Kind.choices, help_text="Each once, but for `free`.")
    ask = WordsField(
        required=False,
        help_text='The question by language, such as {"pt-BR": "…"}; the usual words where it is missing.',
    )
    help = WordsField(required=False, help_text="What is said to whoever does not know what to answer.")

    # `required` and `label` are words of serializers' own.
    def get_fields(self) -> dict[str, Any]:
        is_required = serializers.BooleanField(
            required=False, help_text="False: whoever has none may say so. True by default."
        )
        label = WordsField(required=False, help_text="What the summary calls it.")
        return {**super().get_fields(), "label": label, "required": is_required}


class DefinitionBody(serializers.Serializer[Any]):
    languages = serializers.ListField(
        child=serializers.CharField(),
        min_length=1,
        max_length=definition.MOST_LANGUAGES,
        help_text="The first one speaks to those whose language nobody knows.",
    )
    questions = QuestionBody(  # type: ignore[call-arg] # its stubs do not know what lists take
        many=True,
        min_length=1,
        max_length=definition.MOST_QUESTIONS,
        help_text="In the order in which they are asked.",
    )
    texts = serializers.DictField(
        child=WordsField(),
        help_text="By language and name. `consent` is needed in each; the others have usual words.",
    )


class FunnelQuery(Filters):
    days = serializers.RegexField(
        r"^[1-9][0-9]?$",
        required=False,
        help_text=f"Who started in the last so many, {funnel.DAYS} unless said; at most {funnel.MOST_DAYS}.",
    )

    def validate_days(self, text: str) -> int:
        if int(text) > funnel.MOST_DAYS:
            raise serializers.ValidationError(
                _("At most %(most)d.") % {"most": funnel.MOST_DAYS}, code="max_value"
            )
        return int(text)
