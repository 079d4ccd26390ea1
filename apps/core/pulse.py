"""Whether an event loop goes round: it says so every second, and whoever asks from another thread is told."""

import asyncio
import time

from apps.core.side_door import Page

EVERY_SECONDS = 1.0
# One that was busy for so long answers nobody.
SILENT_SECONDS = 30.0


class Pulse:
    def __init__(self) -> None:
        self._beaten_at = time.monotonic()

    async def keep_beating(self) -> None:
        while True:
            self._beaten_at = time.monotonic()
            await asyncio.sleep(EVERY_SECONDS)

    def page(self) -> Page:
        silent = time.monotonic() - self._beaten_at
        if silent < SILENT_SECONDS:
            return Page(b"well\n")
        return Page(f"the event loop has not come round for {silent:.0f} s\n".encode(), status=503)
