"""What every body of the API has in common."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

# What JSON must hold for a field, and how to say so. Django REST framework would turn 0 into "0" and "yes"
# into true; an API that guesses what a sender meant hides the sender's mistake. The first that fits decides.
_JSON_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], Promise], ...] = (
    (serializers.BooleanField, (bool,), gettext_lazy("true or false")),
    (serializers.IntegerField, (int,), gettext_lazy("a whole number")),
    (serializers.FloatField, (int, float), gettext_lazy("a number")),
    (serializers.ListField, (list,), gettext_lazy("a list")),
    (serializers.DictField, (dict,), gettext_lazy("an object")),
    (serializers.CharField, (str,), gettext_lazy("text")),
    (serializers.ChoiceField, (str,), gettext_lazy("text")),
    (serializers.UUIDField, (str,), gettext_lazy("text")),
    (serializers.DateTimeField, (str,), gettext_lazy("text")),
    (serializers.DateField, (str,), gettext_lazy("text")),
)
_MOST_ERRORS = 20


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
        return {name: [detail] for name in unknown[:_MOST_ERRORS]}

    def _wrongly_typed(self, data: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: _type_error(field, data[name]) for name, field in self.fields.items() if name in data}
        return {name: error for name, error in found.items() if error}


def _type_error(field: serializers.Field[Any, Any, Any, Any], value: Any) -> Any:
    """What is wrong with the type of `value`, in the shape of a ValidationError's detail; nothing if it fits."""
    if value is None:
        return None  # whether null is allowed is for the field to say
    types, name = next(((types, name) for known, types, name in _JSON_TYPES if isinstance(field, known)), ((), ""))
    if types and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
        return [ErrorDetail(_("This must be %(type)s.") % {"type": name}, code="wrong_type")]
    if isinstance(field, serializers.ListField) and isinstance(value, list) and field.child is not None:
        if field.max_length is not None and len(value) > field.max_length:
            # Before any item is looked at: a list of a million wrong items must cost no more than its length.
            detail = _("At most %(most)d items.") % {"most": field.max_length}
            return [ErrorDetail(detail, code="max_length")]
        errors = ((index, _type_error(field.child, item)) for index, item in enumerate(value))
        return dict(islice((pair for pair in errors if pair[1]), _MOST_ERRORS)) or None
    if isinstance(field, serializers.DictField) and isinstance(value, dict):
        errors = ((name, _type_error(field.child, item)) for name, item in value.items())
        return dict(islice((pair for pair in errors if pair[1]), _MOST_ERRORS)) or None
    return None
