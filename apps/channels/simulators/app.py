"""Puts the simulated providers together, and serves them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from aiohttp import web

from apps.channels.simulators import evolution, instagram, target, telegram, twilio, whatsapp
from apps.channels.simulators.callbacks import MOST_IN_A_GROUP, Callbacks, Compose
from apps.channels.simulators.control import Control, control_app
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, Faults
from apps.channels.simulators.graph import signing
from apps.channels.simulators.provider import Provider
from apps.channels.simulators.shelf import Shelf
from apps.channels.simulators.tally import Tally

_MOST_BODY_BYTES = 1024 * 1024
# Slow answers still waiting when we are stopped are cut off: nobody waits for a simulation.
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Settings:
    callback_url: str
    """Each provider calls its connector's address below it."""

    app_secret: str = field(repr=False)
    delays: Delays = field(default_factory=Delays)
    group_seconds: float = 0.05
    """How long statuses are collected before they are posted together."""

    retry_seconds: float = 120.0
    """How long a callback that is not taken comes again."""

    most_logged: int = 2_000_000
    """Messages that the tally remembers; a million takes about half a gigabyte."""

    faults: Sequence[Fault] = ()
    """In force from the start."""

    smtp_port: int | None = None
    """Where mails are taken, if they are."""


def build_app(settings: Settings, host: str) -> web.Application:
    url = settings.callback_url.rstrip("/")

    def callbacks(compose: Compose, most_in_a_group: int = MOST_IN_A_GROUP) -> Callbacks:
        made = Callbacks(
            compose,
            group_seconds=settings.group_seconds,
            retry_seconds=settings.retry_seconds,
            most_in_a_group=most_in_a_group,
        )
        every.append(made)
        return made

    every: list[Callbacks] = []
    faults = Faults()
    faults.replace(settings.faults)
    delays = replace(settings.delays)
    tally = Tally(settings.most_logged)
    shelf = Shelf()
    of_meta = {
        name: callbacks(signing(f"{url}/{connector}", settings.app_secret, envelope))
        for name, connector, envelope in (
            ("whatsapp", "whatsapp_cloud", whatsapp.envelope),
            ("instagram", "instagram", instagram.envelope),
        )
    }
    bots = telegram.Webhooks()
    phones = twilio.Accounts()
    instances = evolution.Instances()
    providers: list[Provider[Any]] = [
        whatsapp.WhatsApp(faults, delays, tally, of_meta["whatsapp"], shelf=shelf),
        instagram.Instagram(faults, delays, tally, of_meta["instagram"], shelf=shelf),
        telegram.Telegram(faults, delays, tally, callbacks(bots.compose, most_in_a_group=1), bots, shelf=shelf),
        twilio.Twilio(faults, delays, tally, callbacks(phones.compose, most_in_a_group=1), phones, shelf=shelf),
        evolution.Evolution(
            faults, delays, tally, callbacks(instances.compose, most_in_a_group=1), instances, shelf=shelf
        ),
        target.Target(
            faults, delays, tally, callbacks(lambda _: None), target.secret_of(settings.app_secret), shelf=shelf
        ),
    ]

    app = web.Application(client_max_size=_MOST_BODY_BYTES)
    for provider in providers:
        own = web.Application(client_max_size=_MOST_BODY_BYTES)
        own.router.add_routes(provider.routes())
        app.add_subapp(f"/{provider.name}", own)
    named = {provider.name: provider for provider in providers}
    control = Control(faults, delays, tally, every, named, shelf=shelf)
    app.add_subapp("/control", control_app(control, settings.callback_url))
    app.cleanup_ctx.extend(_while_serving(callbacks) for callbacks in every)
    if settings.smtp_port is not None:
        # Only now, for it needs a package that nothing else needs.
        smtp = import_module("apps.channels.simulators.smtp").Smtp(faults, delays, tally)
        app.cleanup_ctx.append(lambda _app: smtp.serving(host, settings.smtp_port))
    return app


@asynccontextmanager
async def serve(settings: Settings, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Yields where it listens; port 0 is any that is free."""
    runner = web.AppRunner(build_app(settings, host), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _while_serving(callbacks: Callbacks) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    return lambda _app: callbacks.running()
