"""Callbacks as providers make them, and the work on them as the workers do it."""

import hashlib
import hmac

from multidict import CIMultiDict

from apps.channels.callback import Callback
from apps.messaging.engine.receive import receive_batch
from apps.messaging.engine.store import LANES, Stored, store
from tests.messaging.provider import APP_SECRET


def hand_over(connector: str, body: bytes, secret: str = APP_SECRET) -> Stored:
    """In the manner of Meta."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = CIMultiDict({"X-Hub-Signature-256": f"sha256={signature}"})
    return store(connector, Callback(f"https://recado.example/v1/hooks/{connector}", headers, body))


def work_on_callbacks() -> int:
    """How many there were."""
    return sum(receive_batch(lane) for lane in range(LANES))
