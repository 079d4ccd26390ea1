"""The bills of the demo: whoever tries it is shown reminders, at whatever hour that is."""

import pytest

from apps.billing.models import Reminder
from apps.billing.planner import plan
from local.demo_bills import seed_bills
from tests.billing.portfolio import turn_clock
from tests.cast import House
from tests.messaging.desk import open_account

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("hour", ["00:30", "02:30", "12:00", "21:30", "23:30"])
def test_the_same_are_reminded_at_any_hour(aurora: House, hour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the evening of those who owe it, it is the next day already in UTC."""
    accounts = {connector: open_account(aurora, connector) for connector in ("whatsapp_cloud", "sms", "email")}
    turn_clock(monkeypatch, "2026-11-22", hour)
    seed_bills(aurora.organization, accounts)
    plan.run()
    reminded = Reminder.across_organizations.values_list("invoice__number", flat=True)
    assert {number[5:] for number in reminded} == {"1000", "1001", "1010", "1020", "1030", "1040", "1060", "1070"}
