"""What the tests of webhooks share: an application that is called, and an event loop that calls it."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from django.db import connection
from pytest_django import Settings

from apps.callbacks.engine import bell
from apps.messaging.engine.loop import Loop
from tests.callbacks.office import Office
from tests.callbacks.receiver import Receiver, run_receiver
from tests.cast import House


@pytest.fixture(autouse=True)
def _nobody_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_listeners_known_until", 0.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as receiver:
        yield receiver


@pytest.fixture
def loopback(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def webhook_cursor(transactional_db: None) -> None:
    """The migration made the row; the truncation after another test took it away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO webhook_cursor VALUES (1, pg_snapshot_xmin(pg_current_snapshot()), 0)"
            " ON CONFLICT (id) DO UPDATE SET transaction = EXCLUDED.transaction, event_id = 0"
        )


@pytest.fixture
def office(webhook_cursor: None, loopback: None, aurora: House, receiver: Receiver) -> Iterator[Office]:
    loop = Loop()
    yield Office(aurora, loop, receiver)
    loop.close()
