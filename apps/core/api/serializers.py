"""What every body of the API has in common."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know: a misspelt optional field must not be dropped in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [str(name) for name in data if name not in writable]
            if unknown:
                known = ", ".join(sorted(writable)) or "-"
                detail = ErrorDetail(
                    _("Unknown field. Known: %(known)s.") % {"known": known}, code="unknown_field"
                )
                raise ValidationError({name: [detail] for name in unknown[:20]})
        return super().to_internal_value(data)
