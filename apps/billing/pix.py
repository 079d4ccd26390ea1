"""BR Code, which is what a Pix QR code says: read with suspicion, drawn, and made for the demo and for tests.

Fields are written one after the other as id, length and value; some hold fields again. The last is a checksum.
"""

import binascii
import io
import re
from dataclasses import dataclass

import segno
from django.utils.translation import gettext as _

LONGEST = 1024
GUI = "br.gov.bcb.pix"
_CRC_HEAD = "6304"
_ACCOUNTS = tuple(f"{number:02d}" for number in range(26, 52))
_REQUIRED = ("00", "52", "53", "58", "59", "60", "63")
_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")
_DIGITS = re.compile(r"[0-9]{2}")
_REAL = "986"


class BadPix(Exception):
    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class PixCode:
    # Either the receiver's key, or where the charge is looked up.
    key: str
    url: str
    # In cents; None where whoever pays types it in.
    amount: int | None
    name: str
    city: str
    txid: str


def check(code: str) -> PixCode:
    """Raises BadPix, which says what is wrong with it."""
    if len(code) > LONGEST:
        raise BadPix(_("A Pix code has at most %(most)d characters.") % {"most": LONGEST})
    if not code.isprintable():
        raise BadPix(_("A Pix code is one line of text."))
    if code[-8:-4] != _CRC_HEAD or code[-4:].upper() != _crc(code[:-4]):
        raise BadPix(_("This Pix code is not whole: its checksum does not fit."))
    fields = _fields(code)
    if missing := [number for number in _REQUIRED if not fields.get(number)]:
        raise BadPix(_("This Pix code lacks the field %(field)s.") % {"field": missing[0]})
    account = _account(fields)
    key, url = account.get("01", ""), account.get("25", "")
    if not key and not url:
        raise BadPix(_("This Pix code names neither a key nor an address."))
    for number, wanted in (("00", "01"), ("53", _REAL), ("58", "BR")):
        if fields[number] != wanted:
            detail = _("Field %(field)s of this Pix code must be %(wanted)s.")
            raise BadPix(detail % {"field": number, "wanted": wanted})
    txid = _fields(fields.get("62", "")).get("05", "")
    return PixCode(key, url, _amount(fields.get("54")), fields["59"], fields["60"], txid)


def picture(code: str) -> bytes:
    """As a PNG that a phone reads from a screen."""
    drawn = io.BytesIO()
    segno.make(code, error="m", micro=False).save(drawn, kind="png", scale=6, border=4)
    return drawn.getvalue()


def build(key: str, name: str, city: str, amount: int | None, txid: str) -> str:
    """A code that stays the same however often it is paid; `amount` is in cents."""
    whole = "".join([
        _field("00", "01"),
        _field("26", _field("00", GUI) + _field("01", key)),
        _field("52", "0000"),
        _field("53", _REAL),
        _field("54", f"{amount // 100}.{amount % 100:02d}") if amount is not None else "",
        _field("58", "BR"),
        _field("59", name[:25]),
        _field("60", city[:15]),
        _field("62", _field("05", txid or "***")),
        _CRC_HEAD,
    ])  # fmt: skip
    return whole + _crc(whole)


def _field(number: str, value: str) -> str:
    return f"{number}{len(value):02d}{value}"


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        number, length = text[at : at + 2], text[at + 2 : at + 4]
        # One pattern for both: `isdigit` would also take digits of other scripts.
        if not _DIGITS.fullmatch(number) or not _DIGITS.fullmatch(length):
            raise BadPix(_("This Pix code cannot be read at character %(at)d.") % {"at": at + 1})
        value = text[at + 4 : at + 4 + int(length)]
        if len(value) != int(length):
            raise BadPix(_("Field %(field)s of this Pix code is cut off.") % {"field": number})
        if number in found:
            raise BadPix(_("Field %(field)s of this Pix code comes twice.") % {"field": number})
        found[number] = value
        at += 4 + len(value)
    return found


def _account(fields: dict[str, str]) -> dict[str, str]:
    """Of the ways to pay that a code may offer, Pix."""
    for number in _ACCOUNTS:
        if number in fields:
            account = _fields(fields[number])
            if account.get("00", "").lower() == GUI:
                return account
    raise BadPix(_("This code is none of Pix: it does not name %(name)s.") % {"name": GUI})


def _amount(text: str | None) -> int | None:
    if text is None:
        return None
    if not _AMOUNT.fullmatch(text):
        raise BadPix(_("The amount in this Pix code is no amount."))
    units, _point, cents = text.partition(".")
    return int(units) * 100 + int(cents.ljust(2, "0") or 0)


def _crc(text: str) -> str:
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"
