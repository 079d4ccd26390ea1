"""Which column is what, by its heading in English or Portuguese; and a row of them as an invoice."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.billing.importing import cells
from apps.billing.importing.cells import BadCell, Cell
from apps.billing.importing.row import MOST_COLUMNS, Unreadable
from apps.billing.new_invoice import CURRENCY, Mistake, NewCustomer, NewInvoice, currencies

_NO_LETTER = re.compile(r"[^a-z0-9]")
# Without accents, spaces and signs.
_HEADINGS = {
    "number": "number invoice invoicenumber numero no n nro fatura numerodafatura nota documento cobranca",
    "contact_id": "contactid",
    "name": "customer customername name client clientname cliente nome nomedocliente sacado pagador",
    "phone": "phone phonenumber telephone mobile cellphone whatsapp telefone celular fone",
    "email": "email emailaddress mail correioeletronico",
    "language": "language idioma lingua",
    "time_zone": "timezone fuso fusohorario",
    "amount": "amount value total valor valortotal montante",
    "amount_cents": "amountincents amountcents cents valoremcentavos centavos",
    "currency": "currency moeda",
    "due_on": "due duedate dueon vencimento datadevencimento datavencimento vence",
    "payment_url": "link paymentlink paymenturl url linkdepagamento linkpagamento",
    "pix_code": "pix pixcode pixcopiaecola pixcopypaste copiaecola codigopix",
    "boleto_line": "boleto boletoline linhadigitavel codigodeboleto codigodebarras",
    "tags": "tags tag labels etiquetas etiqueta",
}
_FIELDS = {heading: field for field, headings in _HEADINGS.items() for heading in headings.split()}
_CUSTOMER = ("name", "phone", "email", "language", "time_zone")


def field_of(heading: object) -> str | None:
    bare = unicodedata.normalize("NFKD", str(heading)[:100].lower())
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return _FIELDS.get(_NO_LETTER.sub("", bare.replace("º", "").replace("°", "")))


def fields_by_place(headings: Sequence[Cell]) -> dict[int, str]:
    """Columns that mean nothing to us are left alone. Raises Unreadable where one is missing or comes twice."""
    if len(headings) > MOST_COLUMNS:
        raise Unreadable(_("A table has at most %(most)d columns.") % {"most": MOST_COLUMNS})
    found: dict[int, str] = {}
    for place, heading in enumerate(headings):
        field = field_of(heading)
        if field is None:
            continue
        if field in found.values():
            raise Unreadable(_("Two columns are the %(name)s.") % {"name": _names()[field]})
        found[place] = field
    there = set(found.values())
    for wanted in (("number",), ("amount", "amount_cents"), ("due_on",), ("phone", "email", "contact_id")):
        if there.isdisjoint(wanted):
            raise Unreadable(
                _("The first row has to name the columns, and none is the %(name)s.")
                % {"name": _names()[wanted[0]]}
            )
    return found


def invoice_of(given: Mapping[str, Cell]) -> NewInvoice | list[Mistake] | None:
    """By field. None where nothing is written at all."""
    mistakes: list[Mistake] = []
    read: dict[str, Any] = {}

    def take[Value](field: str, reader: Callable[[Cell], Value]) -> None:
        cell = given.get(field)
        try:
            if cells.text(cell):
                read[field] = reader(cell)
        except BadCell as bad:
            mistakes.append(Mistake(field.removesuffix("_cents"), bad.code, bad.detail))

    if all(cell is None or cell == "" for cell in given.values()):
        return None
    for field in ("number", "payment_url", "pix_code", "boleto_line", "currency", *_CUSTOMER):
        take(field, cells.text)
    currency = str(read.get("currency", CURRENCY)).upper()
    # One that there is not is refused where all are checked.
    take("amount", lambda cell: cells.amount(cell, currency if currency in currencies() else CURRENCY))
    take("amount_cents", cells.cents)
    take("due_on", cells.day)
    take("tags", cells.tags)
    take("contact_id", _contact_id)
    if mistakes:
        return mistakes
    customer = {name: read.pop(name) for name in _CUSTOMER if name in read}
    if customer and "contact_id" not in read:
        read["customer"] = NewCustomer(**customer)
    if "amount_cents" in read:
        read["amount"] = read.pop("amount_cents")
    return NewInvoice(**({"number": ""} | read))


def _contact_id(cell: Cell) -> UUID:
    try:
        return UUID(cells.text(cell))
    except ValueError:
        raise BadCell("invalid", _("This is no id of a contact.")) from None


def _names() -> dict[str, str]:
    return {
        "number": _("number"),
        "contact_id": _("contact"),
        "name": _("customer"),
        "phone": _("phone number or e-mail address"),
        "email": _("e-mail address"),
        "language": _("language"),
        "time_zone": _("time zone"),
        "amount": _("amount"),
        "amount_cents": _("amount in cents"),
        "currency": _("currency"),
        "due_on": _("due date"),
        "payment_url": _("payment link"),
        "pix_code": _("Pix code"),
        "boleto_line": _("boleto line"),
        "tags": _("tags"),
    }
