"""What files are called: names of strangers, made harmless before they are kept, shown or sent in a header."""

import re
import unicodedata

from django.utils.http import content_disposition_header

LONGEST = 200
UNNAMED = "file"
# Of a path, of a drive, of a shell and of a header; and what turns the direction of writing or cannot be seen.
_FORBIDDEN = re.compile(
    r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]'
)
_LONGEST_ENDING = 20


def safe_name(given: str) -> str:
    """A name and nothing else, in at most LONGEST characters and 255 bytes; its ending stays."""
    last = re.split(r"[/\\]", given)[-1]
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", last.encode(errors="replace").decode()))
    name = " ".join(name.split()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        stem, ending = name, ""
    ending = dot + ending if ending else ""
    stem = stem[: LONGEST - len(ending)]
    while len(f"{stem}{ending}".encode()) > 255:
        stem = stem[:-1]
    return f"{stem}{ending}" if stem or ending else UNNAMED


def disposition(name: str, *, is_inline: bool) -> str:
    return content_disposition_header(not is_inline, safe_name(name)) or "attachment"
