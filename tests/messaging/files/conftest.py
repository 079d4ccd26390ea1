"""Accounts of channels that files leave by, at simulated providers."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from apps.channels.registry import connector
from apps.messaging.engine import bring
from apps.messaging.engine.loop import Loop
from tests.cast import House
from tests.messaging.desk import Desk, open_account
from tests.messaging.provider import Provider

type OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(aurora: House, provider: Provider, loop: Loop, settings: Settings, file_store: object) -> OpenDesk:
    settings.CONNECTOR_URLS = settings.CONNECTOR_URLS | {"telegram": f"{provider.url}/telegram"}
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    connector.cache_clear()

    def opened(name: str, **policy: object) -> Desk:
        return Desk(aurora.organization, open_account(aurora, name, **policy), loop)

    return opened


@pytest.fixture(autouse=True)
def _no_link_of_another_store() -> Iterator[None]:
    yield
    bring._link.cache_clear()
