"""Take what is secret out of what a provider said: it, and what stands before it, quote what they were sent."""

import json
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, quote_plus

# Shorter ones would be found in ordinary words.
SHORTEST_SECRET = 8
HIDDEN = b"[hidden]"


def without(body: bytes, secrets: Iterable[str]) -> bytes:
    """In whichever way they are written there; the longest first, so that no rest of one stays."""
    # A text of two or four bytes a letter has NULs between those of a secret; nothing that is kept has any.
    body = body.replace(b"\0", b"")
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        body = body.replace(form.encode(), HIDDEN)
    return body


def _forms(secret: str) -> set[str]:
    """A token of several parts is as secret without the first, which is often the name of an account."""
    parts = {secret, secret.rpartition(":")[2], secret.rpartition(" ")[2]}
    return {form for part in parts if len(part) >= SHORTEST_SECRET for form in _written(part)}


def _written(secret: str) -> set[str]:
    in_json = json.dumps(secret)[1:-1]
    as_letters = json.dumps(secret, ensure_ascii=False)[1:-1]
    in_url = quote(secret, safe="")
    return {
        secret,
        secret.replace("/", "\\/"),
        in_url,
        in_url.lower(),
        quote_plus(secret),
        quote(secret),
        escape(secret),
        in_json,
        as_letters,
        in_json.replace("/", "\\/"),
        _with_escapes(secret),
    }


def _with_escapes(secret: str) -> str:
    """As JSON is written for pages: with the signs that mean something in HTML as numbers."""
    return "".join(f"\\u{ord(letter):04x}" if letter in "&<>'\"" else letter for letter in secret)
