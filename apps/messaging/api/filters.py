"""What a list may be narrowed down to. A misspelt filter is refused: it must not show everything."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.channels import addresses
from apps.channels.registry import choices
from apps.core.api.pagination import NewestFirst
from apps.core.api.serializers import StrictSerializer
from apps.messaging.api.bodies import LONGEST_REFERENCE
from apps.messaging.models import DeadLetterState
from apps.messaging.statuses import Status

# Instead of a member's id.
ME, NOBODY = "me", "none"


class Filters(StrictSerializer):
    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """What was asked for. Raises ValidationError, which names the parameter."""
        given = request.query_params.dict()
        for name in (NewestFirst.cursor_parameter, NewestFirst.size_parameter):
            given.pop(name, None)
        filters = cls(data=given)
        filters.is_valid(raise_exception=True)
        return dict(filters.validated_data)


class MessageFilters(Filters):
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    channel = serializers.ChoiceField(choices=choices(), required=False)
    account_id = serializers.UUIDField(required=False)
    conversation_id = serializers.UUIDField(required=False)
    reference = serializers.CharField(required=False, trim_whitespace=False, max_length=LONGEST_REFERENCE)
    template_id = serializers.UUIDField(required=False)
    error_class = serializers.CharField(required=False, max_length=20)
    error_code = serializers.CharField(required=False, max_length=60)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


class ContactFilters(Filters):
    address = serializers.CharField(
        required=False, max_length=addresses.LONGEST, help_text="Where the person is reached, whole."
    )
    name = serializers.CharField(required=False, max_length=120, help_text="How the person's name begins.")


class ConversationFilters(ContactFilters):
    state = serializers.ChoiceField(choices=["open", "closed"], required=False)
    assignee = serializers.RegexField(
        rf"^({ME}|{NOBODY}|[0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}})$",
        required=False,
        help_text=f"A member's id, `{ME}`, or `{NOBODY}` for what nobody has taken.",
    )
    label = serializers.UUIDField(required=False)  # type: ignore[assignment]
    unread = serializers.ChoiceField(choices=["true", "false"], required=False)
    channel = serializers.ChoiceField(choices=choices(), required=False)
    account_id = serializers.UUIDField(required=False)
    contact_id = serializers.UUIDField(required=False)

    def validate_unread(self, said: str) -> bool:
        return said == "true"


class DeadLetterFilters(Filters):
    state = serializers.ChoiceField(choices=DeadLetterState.choices, required=False)
    account_id = serializers.UUIDField(required=False)
    error_class = serializers.CharField(required=False, max_length=20)
    error_code = serializers.CharField(required=False, max_length=60)


class LikeThese(Filters):
    """Of dead letters that are open, those that are alike."""

    account_id = serializers.UUIDField(required=False)
    error_class = serializers.CharField(required=False, max_length=20)
    error_code = serializers.CharField(required=False, allow_blank=True, max_length=60)
    created_before = serializers.DateTimeField(required=False)
    failed_again: serializers.Field[Any, Any, Any, Any] = serializers.ChoiceField(
        choices=["true", "false"],
        required=False,
        help_text="Whether they were tried again before. Left out, it does not matter.",
    )

    def validate_failed_again(self, said: str | bool) -> bool:
        return said in {True, "true"}


class LikeTheseInBody(LikeThese):
    failed_again = serializers.BooleanField(required=False)
