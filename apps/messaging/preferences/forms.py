"""The form on which people tick what they want."""

from collections.abc import Callable, Sequence
from datetime import time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.messaging.consent.choices import Choice, QuietHours, about_category, about_channel
from apps.messaging.models import Contact

USUAL_TIME_ZONE = "America/Sao_Paulo"
# The others are old names of the same zones, and clocks that nobody lives by.
_AREAS = {
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
}  # fmt: skip


class PreferencesForm(forms.Form):
    """What is offered to somebody, ticked where they want it."""

    categories = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    channels = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    quiet_from = forms.TimeField(required=False, label=gettext_lazy("From"))
    quiet_until = forms.TimeField(required=False, label=gettext_lazy("Until"))
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))

    def __init__(
        self,
        contact: Contact,
        categories: Sequence[tuple[str, str]],
        channels: Sequence[tuple[str, str]],
        data: Any = None,
    ) -> None:
        zone = contact.time_zone or USUAL_TIME_ZONE
        wanted = {
            "categories": [name for name, _label in categories if name not in contact.refused_categories],
            "channels": [name for name, _label in channels if name not in contact.refused_channels],
            "quiet_from": contact.quiet_from and f"{contact.quiet_from:%H:%M}",
            "quiet_until": contact.quiet_until and f"{contact.quiet_until:%H:%M}",
            "time_zone": zone,
        }
        super().__init__(data, initial=wanted)
        self._offered = {"categories": categories, "channels": channels}
        for name, choices in (*self._offered.items(), ("time_zone", time_zones(zone))):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if self.errors:
            return cleaned
        if (begins is None) != (ends is None):
            self.add_error("quiet_from" if begins is None else "quiet_until", _("Say both times, or neither."))
        elif begins is not None and begins == ends:
            self.add_error("quiet_until", _("This must be another time than the beginning."))
        return cleaned

    @property
    def choices(self) -> list[Choice]:
        """Of everything that was offered, whether it is wanted."""
        return [*self._chosen("categories", about_category), *self._chosen("channels", about_channel)]

    def _chosen(self, name: str, about: Callable[[str], str]) -> list[Choice]:
        wanted = self.cleaned_data[name]
        return [Choice(about(value), is_given=value in wanted) for value, _label in self._offered[name]]

    @cached_property
    def quiet_hours(self) -> QuietHours | None:
        begins: time | None = self.cleaned_data["quiet_from"]
        if begins is None:
            return None
        return QuietHours(begins, self.cleaned_data["quiet_until"], self.cleaned_data["time_zone"])


def time_zones(chosen: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """By part of the world. One that is chosen already is offered whatever it is called."""
    known = _known_time_zones()
    if any(chosen == name for _area, zones in known for name, _city in zones):
        return known
    return [*known, (_("Others"), [(chosen, chosen)])]


@cache
def _known_time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    areas: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        area, _slash, city = name.partition("/")
        if area in _AREAS and city:
            areas.setdefault(area, []).append((name, city.replace("_", " ").replace("/", ", ")))
    return list(areas.items())
