"""What a reminder's template may say of the invoices that it reminds of."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import gettext, override

from apps.billing import pix
from apps.billing.models import Invoice
from apps.billing.pix_links import picture_url
from apps.messaging.wording.variables import VariableType

# By name; which of them an invoice may lack is for the template to say, by declaring it optional.
OFFERED: Mapping[str, VariableType] = {
    "name": VariableType.TEXT,
    "number": VariableType.TEXT,
    "amount": VariableType.MONEY,
    "amount_due": VariableType.MONEY,
    "due_date": VariableType.DATE,
    "days_left": VariableType.NUMBER,
    "days_overdue": VariableType.NUMBER,
    "payment_url": VariableType.URL,
    "pix_code": VariableType.TEXT,
    # For templates with a picture.
    "pix_picture_url": VariableType.URL,
    "boleto_line": VariableType.TEXT,
    "count": VariableType.NUMBER,
    "total": VariableType.MONEY,
    # One line for each, where there are several.
    "invoices": VariableType.TEXT,
}
MOST_LISTED = 10
DEFAULT_LANGUAGE = "pt-BR"


def values(invoices: Sequence[Invoice], name: str, language: str, today: date) -> dict[str, Any]:
    """Of the first, which is the most urgent; and of all together. What there is none of is left out."""
    first = invoices[0]
    code = pix_code(first)
    days = (first.due_on - today).days
    found = {
        "name": name,
        "number": first.number,
        "amount": money(first.amount, first.currency),
        "amount_due": money(first.amount_due, first.currency),
        "due_date": first.due_on.isoformat(),
        "days_left": max(0, days),
        "days_overdue": max(0, -days),
        "payment_url": first.payment_url,
        "pix_code": code,
        "pix_picture_url": picture_url(first.id) if code else "",
        "boleto_line": first.boleto_line,
        "count": len(invoices),
        "total": money(sum(invoice.amount_due for invoice in invoices), first.currency),
        "invoices": _lines(invoices, language) if len(invoices) > 1 else "",
    }
    return {name: value for name, value in found.items() if value != ""}


def pix_code(invoice: Invoice) -> str:
    """None that would have a customer pay again what was paid in part."""
    if invoice.paid_amount and invoice.pix_code and pix.check(invoice.pix_code).amount is not None:
        return ""
    return invoice.pix_code


def money(amount: int, currency: str) -> str:
    """As templates take it: 149.90 BRL."""
    return f"{in_units(amount, currency):f} {currency}"


def in_units(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-get_currency_precision(currency))


def spoken(amount: int, currency: str, language: str) -> str:
    """As people read it: R$ 149,90."""
    return format_currency(in_units(amount, currency), currency, locale=locale_of(language))


def locale_of(language: str) -> Locale:
    try:
        return Locale.parse(language or DEFAULT_LANGUAGE, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT_LANGUAGE, sep="-")


def _lines(invoices: Sequence[Invoice], language: str) -> str:
    locale = locale_of(language)
    with override(language or DEFAULT_LANGUAGE):
        line = gettext("• %(number)s: %(amount)s, due %(date)s")
        lines = [
            line
            % {
                "number": invoice.number,
                "amount": spoken(invoice.amount_due, invoice.currency, language),
                "date": format_date(invoice.due_on, "short", locale=locale),
            }
            + (f" {invoice.payment_url}" if invoice.payment_url else "")
            for invoice in invoices[:MOST_LISTED]
        ]
        if (more := len(invoices) - MOST_LISTED) > 0:
            lines.append(gettext("• and %(count)d more") % {"count": more})
    return "\n".join(lines)
