"""A provider that remembers when each request arrived, by the clock that all processes of the machine share.

    python -m bench.arrivals PORT

GET tells the arrivals since the last GET: our message's id, and the time of its last byte.
"""

import asyncio
import re
import sys
import time
from typing import cast

import orjson
import uvloop

_ANSWER = b'{"messaging_product":"whatsapp","messages":[{"id":"wamid.bench"}]}'
_OUR_ID = re.compile(rb'"biz_opaque_callback_data":"([0-9a-f-]+)"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Arrivals(asyncio.Protocol):
    seen: list[tuple[str, float]] = []  # of all connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        if head.startswith(b"GET"):
            self._answer(orjson.dumps(self.seen))
            self.seen.clear()
            return
        if found := _OUR_ID.search(body):
            self.seen.append((found[1].decode(), time.monotonic()))
        self._answer(_ANSWER)

    def _answer(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Arrivals, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
