"""A provider on this machine, and what it answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network

from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from apps.core.addresses import Network
from apps.core.guarded_http import Answer, GuardedClient

LOOPBACK: list[Network] = [ip_network("127.0.0.0/8")]


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, CIMultiDict(named), body)


type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def provider(handler: Handler) -> AsyncIterator[str]:
    """A provider on loopback that answers everything alike; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


def says(status: int, body: bytes, **headers: str) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return handler


async def hangs_up(request: web.Request) -> web.StreamResponse:
    await request.read()
    assert request.transport
    request.transport.abort()
    return web.Response()


def client(*, seconds: float = 5) -> GuardedClient:
    return GuardedClient(LOOPBACK, timeout=seconds, allow_http=True)
