"""Calls to providers: how they are reached, and those made while a person waits for what comes of them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.channels.errors import SendFailed
from apps.channels.models import ChannelAccount
from apps.channels.reachability import Checked, Finding, probe
from apps.channels.registry import connector
from apps.core.api.problems import TooManyRequests
from apps.core.guarded_http import GuardedClient

VERIFY_SECONDS = 10
# A provider that is slow to answer must not keep every thread of the web process waiting.
_PLACES = BoundedSemaphore(4)


class TooManyVerifications(TooManyRequests):
    default_code = "too_many_verifications"
    default_detail = _("Other accounts are being verified. Try again in a few seconds.")


def provider_client(timeout: float) -> GuardedClient:
    """Plain HTTP is for simulated providers, which are where networks of one's own are allowed."""
    networks = settings.OUTBOUND_ALLOWED_NETWORKS
    return GuardedClient(networks, timeout=timeout, allow_http=bool(networks))


@dataclass(frozen=True, slots=True)
class Verified:
    # What a message would meet; None where the credentials are good.
    error: SendFailed | None = None
    # The provider knows now where to call us. False where its owner tells it by hand.
    is_called_back: bool = False


def verify(account: ChannelAccount) -> Verified:
    """Ask the provider whether the credentials are good."""
    return _ask(account, _check)


def connect(account: ChannelAccount) -> Verified:
    """Tell the provider where to call us, where it can be told."""
    return _ask(account, _connect)


def check_callback(account: ChannelAccount) -> Checked:
    """Call our own address, by the name that the provider knows."""
    if not account.callback_url:
        return Checked(Finding.NO_CALLBACK, "")
    with _place():
        return asyncio.run(probe(account.callback_url, VERIFY_SECONDS))


def _ask(account: ChannelAccount, question: Callable[[ChannelAccount], Coroutine[Any, Any, Verified]]) -> Verified:
    try:
        with _place():
            return asyncio.run(question(account))
    except SendFailed as failed:
        return Verified(failed)


@contextmanager
def _place() -> Iterator[None]:
    if not _PLACES.acquire(blocking=False):
        raise TooManyVerifications(wait=5)
    try:
        if not connection.in_atomic_block:
            connection.close()  # nobody holds one while a provider is called
        yield
    finally:
        _PLACES.release()


async def _check(account: ChannelAccount) -> Verified:
    async with provider_client(VERIFY_SECONDS) as client:
        await connector(account.connector).check(client, account.credential_values)
    return Verified()


async def _connect(account: ChannelAccount) -> Verified:
    async with provider_client(VERIFY_SECONDS) as client:
        provider = connector(account.connector)
        is_told = await provider.call_back_at(client, account.credential_values, account.callback_url)
    return Verified(is_called_back=is_told)
