"""E-mail addresses that mail can be sent to."""

import re

from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.registration.validation import mail_typos
from apps.registration.validation.characters import typed
from apps.registration.validation.refused import Refused

LONGEST = 320
_LABEL = re.compile(r"^mailto:", re.IGNORECASE)
_AT = re.compile(r" ?@ ?")


def read(text: str) -> str:
    """The domain in lower case and in ASCII, as our channels write to it; the name as its owner writes it."""
    try:
        found = validate_email(_bare(text), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise _refused() from None
    address = addresses.normalized(found.ascii_email or "")
    if not addresses.is_possible(AddressKind.EMAIL, address):
        raise _refused()
    # Only its domain is named: what we answer stays in the conversation when what the person wrote is redacted.
    name, _at, domain = address.rpartition("@")
    if meant := mail_typos.meant(domain):
        detail = _("Did you mean %(domain)s after the @? Answer yes, or write your e-mail address once more.")
        raise Refused("typo", detail % {"domain": meant}, meant=f"{name}@{meant}")
    return address


def _bare(text: str) -> str:
    """Without what surrounds an address within a sentence or an address book."""
    written = typed(text).lstrip("<\"'( ")
    written = _LABEL.sub("", written)
    return _AT.sub("@", written.rstrip(">\"') .,;!?"))


def _refused() -> Refused:
    return Refused("bad_email", _("This is no e-mail address. They look like maria@example.com."))
