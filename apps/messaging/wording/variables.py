"""The variables of a template: of which types they are, and what may be put into them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any, Self

from django.conf import settings
from django.utils.translation import gettext as _

from apps.messaging.models import TemplateVersion

LONGEST_URL = 2000
LARGEST_NUMBER = 10**15
_YEARS = range(1900, 2200)
# Nobody here calls it: people follow it.
_LINK = re.compile(r"https?://[^\s\x00-\x1f\x7f\\]+", re.IGNORECASE)
_MONEY = re.compile(r"(-?[0-9]{1,11}(?:\.[0-9]{1,4})?) ([A-Z]{3})")


class VariableType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    URL = "url"


TYPES = [kind.value for kind in VariableType]

# What every template may say without declaring it.
BUILT_IN = {"preferences_url": VariableType.URL, "organization": VariableType.TEXT}


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    type: VariableType
    # What previews show, and what the provider sees when it approves.
    sample: str | int | float | bool
    is_required: bool = True

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(document["name"], VariableType(document["type"]), document["sample"], document["is_required"])

    def as_document(self) -> dict[str, Any]:
        return asdict(self) | {"type": self.type.value}


class Money(float):
    """An amount that knows its currency, for that does not follow from the reader's language.

    A float, to compare with the numbers of a template as people read both; of no more digits than a float keeps.
    """

    currency: str

    def __new__(cls, amount: str, currency: str) -> Self:
        money = super().__new__(cls, amount)
        money.currency = currency
        return money


class Missing(str):
    """Of an optional variable that was not given: nothing to read, and neither less nor more than anything."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __lt__(self, other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


MISSING = Missing()

type Value = str | int | float | bool | date | Money


class BadValue(Exception):
    """`detail` says what is needed."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadVariable(BadValue):
    """The value of a variable, named."""

    def __init__(self, name: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.name, self.code = name, code


def values_of(
    variables: Iterable[Variable], given: Mapping[str, object], zone: tzinfo | None = None
) -> dict[str, Value]:
    """Everything that was declared; what is missing and may be, as MISSING. Raises BadVariable.

    Moments are told in `zone`, where the person's is known; elsewhere in the one they were given in.
    """
    declared = {variable.name: variable for variable in variables}
    for name in given:
        if name not in declared:
            detail = _("Unknown variable. Known: %(known)s.") % {"known": ", ".join(declared) or "–"}
            raise BadVariable(name, "unknown_variable", detail)
    values: dict[str, Value] = {}
    for name, variable in declared.items():
        if name not in given:
            if variable.is_required:
                raise BadVariable(name, "missing_variable", _("The template needs this variable."))
            values[name] = MISSING
            continue
        try:
            value = read(variable.type, given[name])
        except BadValue as bad:
            raise BadVariable(name, "invalid", bad.detail) from None
        values[name] = value.astimezone(zone) if zone and isinstance(value, datetime) else value
    return values


def declared_by(version: TemplateVersion) -> list[Variable]:
    return [Variable.from_document(document) for document in version.variables]


def samples_of(variables: Iterable[Variable]) -> dict[str, object]:
    return {variable.name: variable.sample for variable in variables}


def built_in(organization: str, preferences_url: str | None = None) -> dict[str, Value]:
    return {
        "organization": organization,
        "preferences_url": preferences_url or f"{settings.PUBLIC_URL}/p/example",
    }


def read(variable_type: VariableType, given: object) -> Value:
    """What was meant. Raises BadValue."""
    value = _READERS[variable_type](given)
    if value is None:
        raise BadValue(_needed(variable_type))
    return value


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and "\0" not in given else None


def _number(given: object) -> int | float | None:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return given if -LARGEST_NUMBER < given < LARGEST_NUMBER else None


def _money(given: object) -> Money | None:
    match = _MONEY.fullmatch(given) if isinstance(given, str) else None
    return Money(*match.groups()) if match else None


def _date(given: object) -> date | None:
    try:
        value = date.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return value if value and value.year in _YEARS else None


def _datetime(given: object) -> datetime | None:
    try:
        value = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return value if value and value.tzinfo and value.year in _YEARS else None


def _boolean(given: object) -> bool | None:
    return given if isinstance(given, bool) else None


def _url(given: object) -> str | None:
    is_link = isinstance(given, str) and len(given) <= LONGEST_URL and _LINK.fullmatch(given)
    return given if is_link and isinstance(given, str) else None


_READERS = {
    VariableType.TEXT: _text,
    VariableType.NUMBER: _number,
    VariableType.MONEY: _money,
    VariableType.DATE: _date,
    VariableType.DATETIME: _datetime,
    VariableType.BOOLEAN: _boolean,
    VariableType.URL: _url,
}


def _needed(variable_type: VariableType) -> str:
    return {
        VariableType.TEXT: _("A text is needed."),
        VariableType.NUMBER: _("A number is needed, of at most 15 digits."),
        VariableType.MONEY: _("An amount and its currency are needed, such as 149.90 BRL."),
        VariableType.DATE: _("A date is needed, such as 2026-03-01."),
        VariableType.DATETIME: _("A date and time with its offset is needed, such as 2026-03-01T09:30:00-03:00."),
        VariableType.BOOLEAN: _("True or false is needed."),
        VariableType.URL: _("A link is needed, such as https://example.com/pay."),
    }[variable_type]
