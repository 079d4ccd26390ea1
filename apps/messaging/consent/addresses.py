"""Addresses in words, and as much of one as its own person needs to know it again."""

from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.channels.capabilities import AddressKind

KINDS: dict[str, str | Promise] = {
    AddressKind.PHONE: _("phone number"),
    AddressKind.INSTAGRAM_ID: "Instagram",
    AddressKind.TELEGRAM_CHAT: "Telegram",
    AddressKind.EMAIL: _("e-mail address"),
    AddressKind.URL: "URL",
}
_HIDDEN = "•••"


def masked(kind: str, address: str) -> str:
    """A link may be forwarded: whoever opens it learns no address from it."""
    match kind:
        case AddressKind.PHONE:
            return f"{address[:3]} {_HIDDEN} {address[-4:]}"
        case AddressKind.EMAIL:
            local, _at, domain = address.rpartition("@")
            return f"{local[:1]}{_HIDDEN}@{domain}"
        case AddressKind.URL:
            return urlsplit(address).hostname or _HIDDEN
    return f"{_HIDDEN}{address[-3:]}"
