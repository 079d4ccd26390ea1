"""Files to hand over, and what was asked of them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from apps.channels.connector import OutboundFile
from apps.channels.errors import SendFailed

PDF = b"%PDF-1.7 a bill" + bytes(range(256)) * 20


@dataclass
class GivenFile:
    """Read in pieces of which the second may fail, or take its time."""

    content: bytes = PDF
    name: str = "conta.pdf"
    media_type: str = "application/pdf"
    error: SendFailed | None = None
    seconds: float = 0.0
    is_closed: bool = False

    def outbound(self, seconds: float = 5.0) -> OutboundFile:
        return OutboundFile(self.name, self.media_type, len(self.content), self.pieces, seconds)

    async def pieces(self) -> AsyncGenerator[bytes]:
        half = len(self.content) // 2
        try:
            yield self.content[:half]
            if self.error is not None:
                raise self.error
            await asyncio.sleep(self.seconds)
            yield self.content[half:]
        finally:
            self.is_closed = True
