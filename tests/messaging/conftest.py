"""What the tests of the dispatcher share: a provider, an account at it, and an event loop that drains."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from apps.channels.models import ChannelAccount
from apps.channels.registry import connector
from apps.messaging.engine import loop as engine_loop
from tests.cast import House
from tests.messaging.desk import Desk, open_account
from tests.messaging.provider import Provider, run_provider


@pytest.fixture(scope="session")
def _running_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    # Nobody listens there: tests that want callbacks hand them over themselves.
    with run_provider("http://127.0.0.1:9/v1/hooks", tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def provider(_running_provider: Provider, settings: Settings) -> Iterator[Provider]:
    _running_provider.forget()
    settings.CONNECTOR_URLS = {
        "whatsapp_cloud": f"{_running_provider.url}/whatsapp/v23.0",
        "instagram": f"{_running_provider.url}/instagram/v23.0",
    }
    connector.cache_clear()
    yield _running_provider
    connector.cache_clear()


@pytest.fixture
def loop(transactional_db: None, provider: Provider, settings: Settings) -> Iterator[engine_loop.Loop]:
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    own = engine_loop.Loop()
    yield own
    own.close()


@pytest.fixture
def account(aurora: House, provider: Provider) -> ChannelAccount:
    return open_account(aurora, "whatsapp_cloud")


@pytest.fixture
def desk(aurora: House, account: ChannelAccount, loop: engine_loop.Loop) -> Desk:
    return Desk(aurora.organization, account, loop)
