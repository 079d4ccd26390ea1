"""How values are written for people, by the language of the text that they stand in."""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal
from jinja2 import pass_context
from jinja2.filters import do_title
from jinja2.runtime import Context

from apps.messaging.wording.variables import Missing, Money

LONGEST_LANGUAGE = 10
DATE_LENGTHS = ("short", "medium", "long", "full")
# Under which rendering.py passes the locale; no variable can be called so.
LOCALE = "_locale"
# An SMS with one of the spaces that do not break would hold 70 letters instead of 160.
_PLAIN_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale | None:
    """None where it is no language that anything is known of."""
    try:
        return Locale.parse(language.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def normalized(language: str) -> str | None:
    """`pt-br` is pt-BR. None where it is none."""
    locale = locale_of(language)
    written = str(locale).replace("_", "-") if locale else ""
    return written if 0 < len(written) <= LONGEST_LANGUAGE and written != "root" else None


@pass_context
def as_written(context: Context, value: object) -> object:
    """What a variable says where no filter says how."""
    locale = context[LOCALE]
    if isinstance(value, Money):
        return _money(value, locale)
    if isinstance(value, datetime):
        return f"{_date(value, locale)} {_time(value, locale)}"
    if isinstance(value, date):
        return _date(value, locale)
    if isinstance(value, int | float):
        # Not grouped: it may be a year, or the number of an order.
        return _plain(format_decimal(value, locale=locale, group_separator=False))
    return value


def _money(value: Money, locale: Locale) -> str:
    return _plain(format_currency(value, value.currency, locale=locale))


def _date(value: date, locale: Locale, length: Any = "medium") -> str:
    return _plain(format_date(value, length, locale=locale))


def _time(value: datetime, locale: Locale) -> str:
    return _plain(format_time(value, "short", locale=locale))


def _number(value: float | Money, locale: Locale, digits: int | None = None) -> str:
    pattern = None if digits is None else f"#,##0.{'0' * digits}".rstrip(".")
    return _plain(format_decimal(value, pattern, locale=locale))


def _plain(written: str) -> str:
    return written.translate(_PLAIN_SPACES)


def _by_locale(write: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def filtered(context: Context, value: Any, *arguments: Any) -> str:
        return "" if isinstance(value, Missing) else write(value, context[LOCALE], *arguments)

    return filtered


FILTERS: dict[str, Callable[..., Any]] = {
    "upper": lambda value: value.upper(),
    "lower": lambda value: value.lower(),
    "title": do_title,
    "trim": lambda value: value.strip(),
    "default": lambda value, instead: instead if isinstance(value, Missing) else value,
    "money": _by_locale(_money),
    "date": _by_locale(_date),
    "time": _by_locale(_time),
    "number": _by_locale(_number),
}
