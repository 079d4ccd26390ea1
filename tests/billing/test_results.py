"""What a policy brought about: counted by the best of each message's ways, and by the payments that followed."""

from datetime import timedelta
from typing import Any

import pytest

from apps.billing import results
from apps.billing.models import Invoice, ReminderPolicy
from apps.core import clock
from apps.messaging.models import Message
from tests.billing.policies import POLICIES, becomes, draft, drafted, told, took_the_place, unpaid
from tests.billing.portfolio import Time, customer, rule, turn_clock
from tests.cast import Api, House
from tests.messaging import history

pytestmark = pytest.mark.django_db
CONTACT = "+5511912345655"


@pytest.fixture
def policy(aurora: House) -> ReminderPolicy:
    return drafted(aurora)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, aurora: House, policy: ReminderPolicy) -> Time:
    return turn_clock(monkeypatch, "2026-03-10")


def message(house: House, status: str) -> Message:
    made = history.queued(house)
    becomes(made.id, status=status)
    return made


def paid(invoice: Invoice, after: timedelta, **values: Any) -> None:
    Invoice.across_organizations.filter(pk=invoice.pk).update(
        **{"status": "paid", "paid_at": clock.now() + after, "paid_amount": 100} | values
    )


def test_touches_are_counted_by_what_became_of_them(aurora: House, policy: ReminderPolicy, time: Time) -> None:
    contact = customer(aurora, CONTACT)
    for n, status in enumerate(("queued", "sent", "delivered", "read", "failed", "expired", "cancelled")):
        told(policy, unpaid(contact, str(n)), message(aurora, status))
    counted = results.of_policy(policy)
    today = counted.days[-1]
    assert (today.day.isoformat(), len(counted.days)) == ("2026-03-10", 30)
    assert (today.touches, today.sent, today.delivered, today.read) == (7, 3, 2, 1)
    assert (today.failed, today.stopped, today.paid) == (2, 1, 0)
    assert all(day.touches == 0 for day in counted.days[:-1])


def test_way_that_took_another_place_counts_for_its_touch(
    aurora: House, policy: ReminderPolicy, time: Time
) -> None:
    first = message(aurora, "failed")
    told(policy, unpaid(customer(aurora, CONTACT), "1"), first)
    took_the_place(took_the_place(first, aurora, status="failed"), aurora, status="delivered")
    today = results.of_policy(policy).days[-1]
    assert (today.touches, today.sent, today.delivered, today.failed) == (1, 1, 1, 0)


def test_payment_counts_for_the_last_reminder_before_it_and_in_time(
    aurora: House, policy: ReminderPolicy, time: Time
) -> None:
    contact = customer(aurora, CONTACT)
    bills = [unpaid(contact, str(n)) for n in range(4)]
    for bill in bills:
        told(policy, bill, message(aurora, "sent"))
    time.passes(days=2)
    told(policy, bills[0], message(aurora, "sent"))
    paid(bills[0], timedelta(days=1))
    paid(bills[1], timedelta(days=2, hours=23), currency="USD", paid_amount=250)
    paid(bills[2], timedelta(days=3, hours=1))  # after the fifth day
    paid(bills[3], timedelta(days=-2, seconds=-1))  # before it was reminded of
    time.passes(days=8)
    counted = results.of_policy(policy)
    assert {day.day.isoformat(): day.paid for day in counted.days if day.paid} == {
        "2026-03-10": 1,
        "2026-03-12": 1,
    }
    assert counted.paid_amounts == {"BRL": 100, "USD": 250}
    assert counted.total("touches") == 5


def test_results_are_of_the_policy_and_of_the_last_days(aurora: House, policy: ReminderPolicy, time: Time) -> None:
    contact = customer(aurora, CONTACT)
    template = policy.rules.get().template
    other = draft(aurora, history.account_of(aurora), rules=(rule(0, template=template),), name="Other")
    told(other, unpaid(contact, "1"), message(aurora, "sent"))
    told(policy, unpaid(contact, "2"), message(aurora, "sent"))
    assert results.of_policy(policy).total("touches") == 1
    time.is_("2026-03-12", "00:00")
    assert results.of_policy(policy, days=3).total("touches") == 1
    time.is_("2026-03-13", "00:00")
    assert results.of_policy(policy, days=3).total("touches") == 0


def test_api_answers_days_and_totals(aurora: House, owner: Api, policy: ReminderPolicy, time: Time) -> None:
    bill = unpaid(customer(aurora, CONTACT), "1")
    told(policy, bill, message(aurora, "read"))
    paid(bill, timedelta(minutes=5))
    page = f"{POLICIES}/{policy.id}/results"
    shown = owner.get(f"{page}?days=7").json()
    counts = {"touches": 1, "sent": 1, "delivered": 1, "read": 1, "failed": 0, "stopped": 0, "paid": 1}
    assert len(shown["days"]) == 7
    assert shown["days"][-1] == {"day": "2026-03-10", **counts}
    assert (shown["total"], shown["paid_amounts"]) == (counts, {"BRL": 100})
    assert len(owner.get(page).json()["days"]) == 30
    for wrong in ("0", "91", "x", "-1"):
        assert owner.get(f"{page}?days={wrong}").status_code == 400
