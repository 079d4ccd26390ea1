"""Calls to providers: how they are reached, and those made while a person waits for what comes of them."""

import asyncio
from threading import BoundedSemaphore

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.channels.errors import SendFailed
from apps.channels.models import ChannelAccount
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


def verify(account: ChannelAccount) -> SendFailed | None:
    """Ask the provider whether the credentials are good. None if they are, else what a message would meet."""
    if not _PLACES.acquire(blocking=False):
        raise TooManyVerifications(wait=5)
    try:
        if not connection.in_atomic_block:
            connection.close()  # nobody holds one while a provider is called
        asyncio.run(_check(account))
    except SendFailed as failed:
        return failed
    finally:
        _PLACES.release()
    return None


async def _check(account: ChannelAccount) -> None:
    async with provider_client(VERIFY_SECONDS) as client:
        await connector(account.connector).check(client, account.credential_values)
