"""How many frames one socket may send: so many at once, and so many a second in the long run."""

import time

# All subscriptions of a client that comes back, at once.
BURST = 1_200
PER_SECOND = 20.0


class Pace:
    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = time.monotonic()

    def allows_another(self) -> bool:
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
