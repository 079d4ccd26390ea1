"""Identifiers ordered by time: UUID version 7.

Rows inserted together lie together in the primary key's index, and a page of history is a range of it.
"""

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime

_lock = threading.Lock()
_last_instant = 0


def new_id() -> uuid.UUID:
    """48 bits of milliseconds, 12 bits of a fraction of one, 62 random bits (RFC 9562, method 3).

    The instant only moves forward within a process, even when the system's clock is set back, so what is
    made later sorts later.
    """
    global _last_instant  # noqa: PLW0603 - one counter a process is the point
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    with _lock:
        _last_instant = instant = max((milliseconds << 12) | (nanoseconds * 4096 // 1_000_000), _last_instant + 1)
    high = (instant >> 12 << 16) | (7 << 12) | (instant & 0xFFF)
    low = (0b10 << 62) | secrets.randbits(62)
    return uuid.UUID(int=(high << 64) | low)


def first_id_of(moment: datetime) -> uuid.UUID:
    """No id that is made from then on is smaller: it turns a time into a range of the primary key."""
    milliseconds = min(max(int(moment.timestamp() * 1000), 0), 2**48 - 1)
    return uuid.UUID(int=milliseconds << 80)


def moment_of(made: uuid.UUID) -> datetime:
    """When an id was made, to the millisecond."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
