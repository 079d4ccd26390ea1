"""The least that can be done: what is published on a Redis channel goes to every WebSocket, by `websockets` alone.

    python -m bench.bare_broadcast REDIS_URL PORT

No authentication, no subscriptions, no offsets, no bound on what waits.
"""

import asyncio
import sys

import uvloop
from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, broadcast, serve

CHANNEL = "bench:bare"
_sockets: set[ServerConnection] = set()


async def main(redis_url: str, port: int) -> None:
    server = serve(_hold, "127.0.0.1", port, compression=None, ping_interval=None, max_size=None)
    async with server, Redis.from_url(redis_url).pubsub() as channel:
        await channel.subscribe(CHANNEL)
        async for message in channel.listen():
            if message["type"] == "message":
                broadcast(_sockets, message["data"].decode())


async def _hold(socket: ServerConnection) -> None:
    _sockets.add(socket)
    try:
        async for frame in socket:
            await socket.send(frame)
    finally:
        _sockets.discard(socket)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2])))
