"""Contender (b): the same bodies posted by one bare aiohttp loop, with no database and nobody to tell.

    python -m bench.bare_loop URL MESSAGES CONNECTIONS

Prints the seconds that it took.
"""

import asyncio
import sys
import time
import uuid
from collections.abc import Iterator

import aiohttp
import orjson
import uvloop

_TEXT = "Your order is on its way and will be with you today between 14:00 and 16:00."
_HEADERS = {"Authorization": "Bearer a-token-of-usual-length", "Content-Type": "application/json"}


async def main(url: str, messages: int, connections: int) -> float:
    bodies = iter([_body(number) for number in range(messages)])
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers=_HEADERS) as session:
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(_post_all(session, f"{url}/106540352242922/messages", bodies))
        return time.monotonic() - started


async def _post_all(session: aiohttp.ClientSession, url: str, bodies: Iterator[bytes]) -> None:
    for body in bodies:
        async with session.post(url, data=body) as response:
            await response.read()


def _body(number: int) -> bytes:
    return orjson.dumps(
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": str(5_511_900_000_000 + number),
            "type": "text",
            "text": {"body": _TEXT},
            "biz_opaque_callback_data": str(uuid.UUID(int=number)),
        }
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
