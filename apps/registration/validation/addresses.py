"""Postal addresses within Brazil: read, completed by what is known of the postal code, and kept if whole."""

import re
from dataclasses import asdict, replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.registration.validation.address import Address
from apps.registration.validation.address_reading import parts_of
from apps.registration.validation.casing import cased
from apps.registration.validation.characters import folded, is_plain, typed
from apps.registration.validation.postal_codes import Place, postal_codes
from apps.registration.validation.refused import Refused
from apps.registration.validation.states import STATES, state_of

LONGEST = 700
_LONGEST_PART = 120
_POSTAL_CODE = re.compile(r"[0-9]{8}")
# Villages have no districts, most houses no complement.
_NEEDED = {
    "postal_code": gettext_lazy("postal code"),
    "street": gettext_lazy("street"),
    "number": gettext_lazy("number"),
    "city": gettext_lazy("city"),
    "state": pgettext_lazy("of an address", "state"),
}


def read(text: str) -> str:
    """The parts may come in any order, so what a person adds later can be read behind what came before."""
    written = typed(text)
    address = _tidy(Address.from_text(written) or parts_of(written))
    if not all(is_plain(part) for part in asdict(address).values()):
        raise Refused("bad_characters", _("This holds characters that cannot be seen. Type it anew, please."))
    if any(len(part) > _LONGEST_PART for part in asdict(address).values()):
        raise Refused("too_long", _("Write street, number, district, city, state and postal code, no more."))
    address = _completed(address)
    missing = [str(name) for part, name in _NEEDED.items() if not getattr(address, part)]
    if missing:
        detail = _("Your address lacks: %(missing)s. Write it whole, please.")
        raise Refused("incomplete", detail % {"missing": ", ".join(missing)})
    return address.as_text()


def _tidy(address: Address) -> Address:
    whole = {name: " ".join(part.split()) for name, part in asdict(address).items()}
    named = {name: cased(whole[name]) for name in ("street", "district", "city")}
    return Address(**{**whole, **named, "state": whole["state"].upper()})


def _completed(address: Address) -> Address:
    if address.state and address.state not in STATES:
        raise Refused("bad_state", _("Write the state in two letters, such as SP."))
    if not address.postal_code:
        return address
    state = state_of(address.postal_code) if _POSTAL_CODE.fullmatch(address.postal_code) else ""
    if not state:
        raise Refused("bad_postal_code", _("There is no such postal code. A CEP has 8 digits, such as 01310-100."))
    if address.state not in {"", state}:
        detail = _("The postal code lies in %(right)s, not in %(wrong)s. Check both, please.")
        raise Refused("wrong_state", detail % {"right": state, "wrong": address.state})
    known = postal_codes()
    place = known.find(address.postal_code) if known else None
    address = replace(address, state=state)
    return _of_place(address, place) if place else address


def _of_place(address: Address, place: Place) -> Address:
    """What the person wrote stays, in the spelling of the table; what they left out is filled in."""
    district, city = address.district, address.city
    if place.district and not district and folded(city) == folded(place.district):
        district, city = place.district, place.city
    elif not district and folded(city).endswith(f" {folded(place.city)}"):
        district, city = city[: -len(place.city)].strip(), place.city
    elif folded(city) == folded(place.city):
        city = place.city
    return replace(
        address,
        street=address.street or place.street,
        district=district or place.district,
        city=city or place.city,
    )
