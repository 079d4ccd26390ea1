"""The e-mail connector; and name servers, sockets and certificates as the tests of outbound HTTP play them."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.channels import smtp
from apps.channels.connectors.email import Email
from tests.channels.loopback_provider import LOOPBACK
from tests.core.test_guarded_http import connected, hooks_example, names

__all__ = ["connected", "email", "hooks_example", "names"]


@pytest.fixture
def email(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Email]:
    """May call loopback, and leaves no connection behind."""
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    made = Email("")
    yield made
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.0)
    made._smtp._hang_up_idle()
