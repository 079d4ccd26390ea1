"""How a value is found again without being readable: a keyed digest, of no use without the key.

An organization's digests say nothing about another's: the same number has a different one in each.
"""

import hmac
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.registration.kinds import Kind

# What people are looked for by. The others are too easily guessed, or are never asked for.
SEARCHABLE = frozenset({Kind.EMAIL, Kind.PHONE, Kind.TAX_ID})


def digest(organization_id: UUID, kind: Kind, value: str) -> bytes | None:
    """Of the canonical value; None for a kind that is not searched by."""
    if kind not in SEARCHABLE:
        return None
    if kind is Kind.EMAIL:
        # Its owner writes it as they like, and it is kept so; every provider takes it in any case.
        value = value.casefold()
    # Neither can run into the next: the id is of one length, and no kind contains a zero.
    said = organization_id.bytes + kind.value.encode() + b"\0" + value.encode()
    return hmac.digest(_key(settings.VAULT_DIGEST_KEY), said, "sha256")


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"recado vault digest").derive(secret.encode())
