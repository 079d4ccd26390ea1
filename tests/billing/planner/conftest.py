"""A day in March and an account that can send, for all tests of the planner."""

import pytest

from apps.channels.models import ChannelAccount
from tests.billing.portfolio import (
    Time,
    template,
    turn_clock,
)
from tests.cast import House
from tests.messaging.desk import open_account


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """A Monday without holidays around it."""
    return turn_clock(monkeypatch, "2026-03-02")


@pytest.fixture
def sms(aurora: House) -> ChannelAccount:
    template(aurora)
    return open_account(aurora, "sms")
