"""Signatures that providers put on their callbacks."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit


def is_sha256_of(body: bytes, secret: str, claimed: str) -> bool:
    """`sha256=<hex>` in the manner of Meta, compared in constant time."""
    scheme, _, digest = claimed.partition("=")
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return scheme == "sha256" and hmac.compare_digest(expected.encode(), digest.lower().encode(errors="replace"))


def of_twilio(url: str, fields: Iterable[tuple[str, str]], token: str) -> str:
    """What Twilio puts on a form that it posts: under the account's token, over the address and what is in it."""
    # A name that comes several times is signed with each of its values once.
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(errors="replace"), "sha1")).decode()


def is_twilios(url: str, fields: Iterable[tuple[str, str]], token: str, claimed: str) -> bool:
    """Compared in constant time. Twilio signs an address now with its port and now without."""
    parts, known = urlsplit(url), set(fields)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    spellings = [parts._replace(netloc=netloc).geturl() for netloc in (host, f"{host}:{port}")]
    shown = claimed.encode(errors="replace")
    return any(hmac.compare_digest(of_twilio(each, known, token).encode(), shown) for each in spellings)
