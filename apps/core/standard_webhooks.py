"""Standard Webhooks: how a call to somebody's URL says who it is from, and that it was not changed on the way.

https://www.standardwebhooks.com
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64
# What a receiver is to answer in.
SECONDS = 15


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    try:
        return LEAST_BYTES <= len(_key(text)) <= MOST_BYTES
    except ValueError:
        return False


def headers(secrets_in_use: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Signed with each of the secrets: while one replaces another, the receiver may know either."""
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signatures = [
        "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
        for secret in secrets_in_use
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise ValueError("no secret of Standard Webhooks")
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("no secret of Standard Webhooks") from error
