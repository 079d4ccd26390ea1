"""The list of reminders: what was sent of which invoice, and what became of it over all ways."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.billing.models import Reminder, ReminderPolicy
from tests.billing.policies import becomes, drafted, skipped, told, took_the_place, unpaid
from tests.billing.portfolio import customer
from tests.cast import Api, House
from tests.messaging import history

pytestmark = pytest.mark.django_db
PAGE = "/v1/reminders"


@pytest.fixture
def policy(aurora: House) -> ReminderPolicy:
    return drafted(aurora)


def listed(api: Api, query: str = "") -> list[Any]:
    answer = api.get(PAGE + query)
    assert answer.status_code == 200, answer.json()
    data: list[Any] = answer.json()["data"]
    return data


def test_reminder_shows_what_became_of_its_last_way(aurora: House, owner: Api, policy: ReminderPolicy) -> None:
    first = history.queued(aurora)
    bill = unpaid(customer(aurora, "+5511912345655"), "1001")
    reminder = told(policy, bill, first)
    second = took_the_place(first, aurora, status="failed")
    third = took_the_place(
        second,
        aurora,
        status="failed",
        error_class="rejected",
        error_code="131026",
        error_detail="Not on WhatsApp",
    )
    (shown,) = listed(owner)
    assert shown["id"] == str(reminder.id)
    assert shown["invoice"] == {"id": str(bill.id), "number": "1001"}
    assert (shown["rule"]["anchor"], shown["rule"]["offset"]) == ("due", 0)
    assert (shown["policy_id"], shown["message_id"]) == (str(policy.id), str(first.id))
    assert (shown["state"], shown["reason"], shown["reason_detail"]) == ("told", "", "")
    assert shown["message"] == {
        "id": str(third.id),
        "channel": "whatsapp_cloud",
        "status": "failed",
        "error": {"class": "rejected", "code": "131026", "detail": "Not on WhatsApp"},
    }


def test_reminder_that_was_not_sent_says_why(aurora: House, owner: Api) -> None:
    skipped(aurora)
    (shown,) = listed(owner)
    assert (shown["state"], shown["reason"], shown["message"], shown["touch_id"]) == (
        "skipped",
        "no_channel",
        None,
        None,
    )
    assert shown["reason_detail"] == "The customer has no address for any channel of the policy."


def test_reminder_outlives_its_rule_and_its_message(aurora: House, owner: Api, policy: ReminderPolicy) -> None:
    message = history.queued(aurora)
    told(policy, unpaid(customer(aurora, "+5511912345655"), "1001"), message)
    message.delete()
    policy.delete()
    (shown,) = listed(owner)
    assert (shown["rule"], shown["policy_id"], shown["message"]) == (None, None, None)


def test_list_is_narrowed_to_an_invoice_or_a_message(
    aurora: House, owner: Api, policy: ReminderPolicy, boreal: House
) -> None:
    contact = customer(aurora, "+5511912345655")
    one, other = (told(policy, unpaid(contact, number), history.queued(aurora)) for number in ("1", "2"))
    theirs = skipped(boreal)
    assert [row["id"] for row in listed(owner)] == [str(other.id), str(one.id)]
    assert [row["id"] for row in listed(owner, f"?invoice_id={one.invoice_id}")] == [str(one.id)]
    assert [row["id"] for row in listed(owner, f"?touch_id={other.touch_id}")] == [str(other.id)]
    assert listed(owner, f"?invoice_id={theirs.invoice_id}") == []
    assert owner.get(f"{PAGE}?policy={policy.id}").status_code == 400


def test_page_takes_as_many_statements_however_many_reminders(
    aurora: House, owner: Api, policy: ReminderPolicy
) -> None:
    contact = customer(aurora, "+5511912345655")
    counts = []
    for size in (1, 8):
        for n in range(size):
            message = history.queued(aurora)
            told(policy, unpaid(contact, f"{size}-{n}"), message)
            becomes(took_the_place(message, aurora).id, status="sent")
        with CaptureQueriesContext(connection) as queries:
            rows = listed(owner)
        counts.append(len(queries))
    assert len(rows) == Reminder.across_organizations.count() == 9
    assert {row["message"]["status"] for row in rows} == {"sent"}
    assert counts[0] == counts[1]
