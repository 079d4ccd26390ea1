"""What a list may be narrowed down to. A misspelt filter is refused: it must not show everything."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from rest_framework import serializers
from rest_framework.request import Request

from apps.channels import addresses
from apps.channels.registry import choices
from apps.core.api.pagination import NewestFirst
from apps.core.api.serializers import StrictSerializer
from apps.core.ids import first_id_of
from apps.messaging.api.bodies import LONGEST_REFERENCE
from apps.messaging.models import DeadLetterState
from apps.messaging.statuses import Status

# A message gets its id after the moment that it is accepted at.
_ID_DELAY = timedelta(minutes=1)
# Instead of a member's id.
ME, NOBODY = "me", "none"
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - _ID_DELAY


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


def created_between(after: datetime | None, before: datetime | None) -> Q:
    """As a range of ids, which every index of messages ends with."""
    within = Q()
    if after is not None:
        within &= Q(pk__gte=first_id_of(after))
    if before is not None:
        within &= Q(pk__lt=_first_id_after(before))
    return within


def _first_id_after(moment: datetime) -> UUID:
    return first_id_of(min(moment, _LAST_MOMENT) + _ID_DELAY)
