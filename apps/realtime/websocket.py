"""Every WebSocket of the installation."""

from typing import Any, cast

from channels.routing import URLRouter
from django.urls import re_path

from apps.core.asgi import Application, Receive, Scope, Send
from apps.realtime.consumer import StatusConsumer


async def _nowhere(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close"})


_routes: list[Any] = [
    re_path(r"^ws/status/?$", cast("Any", StatusConsumer.as_asgi())),
    re_path(r"", cast("Any", _nowhere)),
]
application: Application = cast("Any", URLRouter(_routes))
