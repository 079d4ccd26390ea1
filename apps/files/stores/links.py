"""What a local disk is asked for from outside: signed links, as an S3 has them."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing

from apps.core import clock
from apps.files.stores.store import BadLink, Download, SignedPart

PARTS = "/v1/storage/parts/"
OBJECTS = "/v1/storage/objects/"
# A link to one is no link to the other.
_PART_SALT = "files.disk.part"
_OBJECT_SALT = "files.disk.object"
LONGEST_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class PartPlace:
    key: str
    upload: str
    number: int
    size: int


def sign_part(place: PartPlace, seconds: int) -> SignedPart:
    expires_at = clock.now() + timedelta(seconds=seconds)
    token = _sign(asdict(place), seconds, _PART_SALT)
    return SignedPart(place.number, place.size, f"{settings.PUBLIC_URL}{PARTS}{token}", expires_at)


def sign_download(download: Download) -> str:
    return f"{settings.PUBLIC_URL}{OBJECTS}{_sign(asdict(download), download.seconds, _OBJECT_SALT)}"


def read_part(token: str) -> PartPlace:
    return PartPlace(**_read(token, _PART_SALT))


def read_download(token: str) -> Download:
    return Download(**_read(token, _OBJECT_SALT))


def _sign(what: dict[str, Any], seconds: int, salt: str) -> str:
    return signing.dumps({**what, "until": clock.now().timestamp() + seconds}, salt=salt)


def _read(token: str, salt: str) -> dict[str, Any]:
    """Raises BadLink, with words for whoever has it."""
    if len(token) > LONGEST_TOKEN:
        raise BadLink("This link is none of ours.")
    try:
        what: dict[str, Any] = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise BadLink("This link was changed, or is none of ours.") from error
    if what.pop("until") < clock.now().timestamp():
        raise BadLink("This link has expired. Ask for a new one.")
    return what
