"""Signatures that several providers put on their callbacks."""

import hashlib
import hmac


def is_sha256_of(body: bytes, secret: str, claimed: str) -> bool:
    """`sha256=<hex>` in the manner of Meta, compared in constant time."""
    scheme, _, digest = claimed.partition("=")
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return scheme == "sha256" and hmac.compare_digest(expected.encode(), digest.lower().encode(errors="replace"))
