"""What every body of the API has in common."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

# What JSON must hold for a field. Django REST framework would turn 0 into "0" and "yes" into true; an API
# that guesses what a sender meant hides the sender's mistake. The first class that fits decides.
_JSON_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], type | tuple[type, ...]], ...] = (
    (serializers.BooleanField, bool),
    (serializers.IntegerField, int),
    (serializers.FloatField, (int, float)),
    (serializers.ListField, list),
    (serializers.DictField, dict),
    (serializers.CharField, str),
    (serializers.ChoiceField, str),
    (serializers.UUIDField, str),
    (serializers.DateTimeField, str),
    (serializers.DateField, str),
)
_MOST_UNKNOWN = 20


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses wrong types and unknown fields: a misspelt optional field must not be dropped in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            errors = self._unknown(data) or self._wrongly_typed(data)
            if errors:
                raise ValidationError(errors)
        return super().to_internal_value(data)

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        writable = {name for name, field in self.fields.items() if not field.read_only}
        unknown = [str(name) for name in data if name not in writable]
        known = ", ".join(sorted(writable)) or "–"
        detail = ErrorDetail(_("Unknown field. Known: %(known)s.") % {"known": known}, code="unknown_field")
        return {name: [detail] for name in unknown[:_MOST_UNKNOWN]}

    def _wrongly_typed(self, data: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: _type_error(field, data[name]) for name, field in self.fields.items() if name in data}
        return {name: error for name, error in found.items() if error}


def _type_error(field: serializers.Field[Any, Any, Any, Any], value: Any) -> Any:
    """What is wrong with the type of `value`, in the shape of a ValidationError's detail; nothing if it fits."""
    if value is None:
        return None  # whether null is allowed is for the field to say
    wanted = next((kind for known, kind in _JSON_TYPES if isinstance(field, known)), None)
    if wanted is None:
        return None
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        names = {
            bool: _("true or false"),
            int: _("a whole number"),
            list: _("a list"),
            dict: _("an object"),
            str: _("text"),
        }
        name = names.get(wanted, _("a number")) if isinstance(wanted, type) else _("a number")
        return [ErrorDetail(_("This must be %(type)s.") % {"type": name}, code="wrong_type")]
    if isinstance(field, serializers.ListField) and isinstance(value, list) and field.child is not None:
        errors = {index: error for index, item in enumerate(value) if (error := _type_error(field.child, item))}
        return errors or None
    return None
