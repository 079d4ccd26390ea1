"""The web process: `python -m project.web --host 0.0.0.0 --port 8000`. Its server and all that it is told.

Requests are not logged here: Django's log says who asked for what. Of proxies only the named one is believed.
"""

import argparse
import logging
import signal
import socket
import sys
import time
from asyncio import BaseTransport
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from apps.core.leaving import leave

LONGEST_FRAME = 16 * 1024
PING_SECONDS = 25
# What a client that reads nothing may keep us from closing.
UNREAD_SECONDS = 30
# What the system may keep for one client; by itself it would take megabytes.
UNSENT_BYTES = 64 * 1024
# Enough for all clients of a process that was restarted to knock at once.
BACKLOG = 4096

_LAST_ANSWER = (b"connection", b"close")


class Server(uvicorn.Server):
    """Uvicorn's, which on SIGTERM says that it leaves, and serves on until whoever sends requests has heard it.

    Uvicorn itself stops listening at once: what an ingress still sends would be refused.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGTERM:
            super().handle_exit(sig, frame)
        elif self._leaves_at is None:
            leave()
            # Nobody shall send the next request over a connection that we are about to close.
            self.config.encoded_headers.append(_LAST_ANSWER)
            self._leaves_at = time.monotonic() + self._drain_seconds
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        is_over = await super().on_tick(counter)
        return is_over or (self._leaves_at is not None and time.monotonic() >= self._leaves_at)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's, for clients that do not read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # It says in its own way when it closes.
        self.default_headers = [header for header in self.default_headers if header != _LAST_ANSWER]
        # It would write down every address with its query, where a token may be.
        self.logger = logging.getLogger("recado.websocket")
        self.logger.setLevel(logging.WARNING)

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT") and connected.family in {socket.AF_INET, socket.AF_INET6}:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.writable.set()  # the close waits behind what is unread, and not we for it to be read
        elif self.close_sent:
            raise ClientDisconnected
        await super().send(message)


def application() -> Any:
    """With a side door, and with the numbers that are the same for all processes: those web alone reads."""
    from project.asgi import application  # noqa: PLC0415 - it loads all of Django

    _show()
    return application


def _show() -> None:
    # Only once Django is set up.
    from apps.core.side_door import open_or_exit  # noqa: PLC0415 - once there is one
    from apps.operations.installation import show_installation  # noqa: PLC0415

    show_installation()
    open_or_exit()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m project.web", description="Serve REST, pages and WebSockets.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--drain", type=int, default=5, help="seconds that it goes on after SIGTERM, while /readyz says 503"
    )
    parser.add_argument("--grace", type=int, default=10, help="seconds that requests have to end when it stops")
    parser.add_argument(
        "--proxy", metavar="ADDRESS", help="believe what this proxy says about where requests come from"
    )
    options = parser.parse_args()
    config = uvicorn.Config(
        application,
        factory=True,
        host=options.host,
        port=options.port,
        backlog=BACKLOG,
        access_log=False,
        proxy_headers=options.proxy is not None,
        forwarded_allow_ips=options.proxy,
        lifespan="off",
        log_config=str(Path(__file__).with_name("uvicorn.json")),
        timeout_graceful_shutdown=options.grace,
        ws=WebSocketProtocol,
        ws_max_size=LONGEST_FRAME,
        # Each would keep 64 kB of compression windows.
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
    )
    config.load_app()
    server = Server(config, options.drain)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
