"""One client of the `websockets` library that notes when what arrived.

    python -m bench.viewer URL [FIRST_FRAME …]

Every line on standard input is answered with what was seen since the last: pairs of a frame and its moment, by the
clock that all processes of the machine share.
"""

import asyncio
import sys
import time

import orjson
import uvloop
from websockets.asyncio.client import connect


async def main(url: str, first_frames: list[str]) -> None:
    seen: list[tuple[str, float]] = []
    async with connect(url, compression=None, proxy=None, max_size=None, ping_interval=None) as socket:
        for frame in first_frames:
            await socket.send(frame)
            await socket.recv()
        print("ready", flush=True)
        asyncio.create_task(_tell(seen)).add_done_callback(lambda _done: sys.exit())
        while True:
            seen.append((str(await socket.recv()), time.monotonic()))


async def _tell(seen: list[tuple[str, float]]) -> None:
    while await asyncio.to_thread(sys.stdin.readline):
        told, seen[:] = list(seen), []
        print(orjson.dumps(told).decode(), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], sys.argv[2:]))
