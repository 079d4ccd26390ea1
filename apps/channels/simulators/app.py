"""Puts the simulated providers together, and serves them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web

from apps.channels.simulators import instagram, whatsapp
from apps.channels.simulators.callbacks import Callbacks, Envelope
from apps.channels.simulators.control import Control, control_app
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Faults
from apps.channels.simulators.tally import Tally

_MOST_BODY_BYTES = 1024 * 1024
# Slow answers still waiting when we are stopped are cut off: nobody waits for a simulation.
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Settings:
    callback_url: str
    """Statuses go to `whatsapp_cloud` and to `instagram` below it."""

    app_secret: str = field(repr=False)
    delays: Delays = field(default_factory=Delays)
    group_seconds: float = 0.05
    """How long statuses are collected before they are posted together."""

    retry_seconds: float = 120.0
    """How long a callback that is not taken comes again."""

    most_logged: int = 2_000_000
    """Messages that the tally remembers; a million takes about half a gigabyte."""


def build_app(settings: Settings) -> web.Application:
    def callbacks(name: str, envelope: Envelope) -> Callbacks:
        return Callbacks(
            f"{settings.callback_url.rstrip('/')}/{name}",
            settings.app_secret,
            envelope,
            group_seconds=settings.group_seconds,
            retry_seconds=settings.retry_seconds,
        )

    faults = Faults()
    delays = replace(settings.delays)
    tally = Tally(settings.most_logged)
    of_whatsapp = callbacks("whatsapp_cloud", whatsapp.envelope)
    of_instagram = callbacks("instagram", instagram.envelope)

    app = web.Application(client_max_size=_MOST_BODY_BYTES)
    for provider in (
        whatsapp.WhatsApp(faults, delays, tally, of_whatsapp),
        instagram.Instagram(faults, delays, tally, of_instagram),
    ):
        address = f"/{provider.name}/{{version}}/{{account}}"
        app.router.add_post(f"{address}/messages", provider.send)
        app.router.add_get(address, provider.show)
    control = Control(faults, delays, tally, (of_whatsapp, of_instagram))
    app.add_subapp("/control", control_app(control, settings.callback_url))
    app.cleanup_ctx.extend([_while_serving(of_whatsapp), _while_serving(of_instagram)])
    return app


@asynccontextmanager
async def serve(settings: Settings, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Yields where it listens; port 0 is any that is free."""
    runner = web.AppRunner(build_app(settings), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _while_serving(callbacks: Callbacks) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    return lambda _app: callbacks.running()
