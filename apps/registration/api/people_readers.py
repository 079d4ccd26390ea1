"""What the API shows of people in the vault, and of who had to do with their data.

They read the records of apps.registration.vault.people.
"""

from typing import Any

from rest_framework import serializers

from apps.accounts.models.audit_event import ActorKind
from apps.registration.kinds import Kind


class ListedPersonReader(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    contact_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    keep_until = serializers.DateTimeField(
        allow_null=True, help_text="When they are erased; null where nobody said so."
    )


class ValueReader(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Kind.choices)
    value = serializers.CharField(help_text="As it is kept: digits of a CPF, a date as 1990-12-31.")
    changed_at = serializers.DateTimeField()


class PersonReader(ListedPersonReader):
    values = serializers.DictField(child=ValueReader(), help_text="By the key of the question.")


class FoundReader(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.UUIDField(), help_text="Of people, oldest first; at most 200.")


class AccessActorReader(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ActorKind.choices, source="actor_kind")

    # `label` is a word of serializers' own.
    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "label": serializers.CharField(source="actor_label")}


class AccessReader(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    actor = AccessActorReader(source="*")
    action = serializers.CharField(help_text="`read`, `written`, `found`, `exported` or `erased`.")
    reason = serializers.CharField()
    request_id = serializers.CharField(allow_blank=True)

    # `fields` is a word of serializers' own.
    def get_fields(self) -> dict[str, Any]:
        names = serializers.ListField(
            child=serializers.CharField(), help_text="Names of what was seen or changed."
        )
        return {**super().get_fields(), "fields": names}
