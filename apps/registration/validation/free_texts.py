"""Whatever else an organization asks for, in the person's own words."""

from django.utils.translation import gettext as _

from apps.registration.validation.characters import is_plain, typed
from apps.registration.validation.refused import Refused

LONGEST = 1000


def read(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\t", " ").strip()
    if not is_plain(lines) or not typed(lines):
        raise Refused("bad_characters", _("This holds characters that cannot be seen. Type it anew, please."))
    return lines
