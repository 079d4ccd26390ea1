"""When messages may go, as a person types it: one line for each channel and state."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.billing.dates import quiet

_NEVER = "never"


class QuietHoursField(forms.CharField):
    """`sms SP = 08:00-20:00; 08:00-14:00; never`: on weekdays, Saturdays, and Sundays and holidays."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(map(_as_line, value or ()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def to_python(self, value: Any) -> Any:
        entries = [_from_line(line) for line in (value or "").splitlines() if line.strip()]
        try:
            quiet.read(entries)
        except quiet.BadQuietHours as bad:
            raise forms.ValidationError(bad.detail) from None
        return entries


def _as_line(entry: dict[str, Any]) -> str:
    days = ("-".join(entry[day]) if entry[day] else _NEVER for day in quiet.DAYS)
    return f"{entry.get('channel', quiet.ANY)} {entry.get('state', quiet.ANY)} = {'; '.join(days)}"


def _from_line(line: str) -> dict[str, Any]:
    place, equals, hours = line.partition("=")
    where, days = place.split(), [day.strip() for day in hours.split(";")]
    if not equals or len(where) != 2 or len(days) != len(quiet.DAYS):
        detail = _("“%(line)s” is not understood. Write channel state = weekdays; Saturday; Sunday.")
        raise forms.ValidationError(detail % {"line": line.strip()[:80]})
    return {"channel": where[0], "state": where[1]} | {
        name: None if day == _NEVER else [hour.strip() for hour in day.split("-")]
        for name, day in zip(quiet.DAYS, days, strict=True)
    }
