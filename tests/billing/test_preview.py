"""What would be sent is told before it is: by the planner's own decisions, which the same tests hold it to."""

from datetime import time as hour
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.billing import dry_run, preview
from apps.billing.models import Invoice, Reminder, ReminderPlan, Touch
from apps.billing.planner import plan
from apps.channels.models import ChannelAccount, ReplyWindow
from apps.messaging.consent import suppressions
from apps.messaging.models import ConsentSource, ContactAddress, Message
from tests.billing.policies import POLICIES, draft
from tests.billing.portfolio import Time, customer, invoice, live_policy, rule, template, turn_clock
from tests.cast import Api, House
from tests.messaging.desk import open_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """A Monday without holidays around it."""
    return turn_clock(monkeypatch, "2026-03-02")


@pytest.fixture
def sms(aurora: House, time: Time) -> ChannelAccount:
    template(aurora)
    return open_account(aurora, "sms")


def days_of(found: preview.Preview) -> list[tuple[str, str]]:
    return [(each.at.date().isoformat(), each.reason) for each in found.planned]


def test_invoice_shows_what_the_planner_then_sends(aurora: House, sms: ChannelAccount, time: Time) -> None:
    policy = live_policy(aurora, [sms], rule(-3), rule(0), rule(5, repeat_every=5, repeat_until=20))
    bill = invoice(customer(aurora), "2026-03-12")
    foreseen = preview.of_invoice(bill)
    assert foreseen.policies == [policy]
    for _ in range(40):
        plan.run()
        time.passes(hours=24)
    sent = Message.across_organizations.order_by("id")
    reminders = Reminder.across_organizations.order_by("id")
    assert [each.at for each in foreseen.planned] == [row.planned_for for row in reminders]
    assert len(foreseen.planned) == 6
    assert [way.content and way.content.text for each in foreseen.planned for way in each.ways] == [
        message.text for message in sent
    ]


def test_draft_is_shown_as_if_it_went_live_now(aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms)
    bill = invoice(customer(aurora), "2026-03-12")
    found = preview.of_invoice(bill, policy)
    assert days_of(found) == [("2026-03-09", ""), ("2026-03-12", "")]
    assert preview.of_invoice(bill).planned == []
    policy.refresh_from_db()
    assert not policy.is_live
    assert not Reminder.across_organizations.exists()
    assert not Touch.across_organizations.exists()


def test_invoice_that_follows_an_earlier_policy_says_so(aurora: House, sms: ChannelAccount) -> None:
    earlier = live_policy(aurora, [sms], rule(1), position=-1)
    policy = draft(aurora, sms)
    found = preview.of_invoice(invoice(customer(aurora), "2026-03-12"), policy)
    assert found.policies == [earlier]
    assert days_of(found) == [("2026-03-13", "")]


def test_words_are_in_the_customers_language_and_of_the_channel(aurora: House, sms: ChannelAccount) -> None:
    template(aurora, "short", body="{{ number }} {{ days_left }}")
    policy = draft(aurora, sms, rules=(rule(-3, channel_templates={"sms": "short"}),))
    (planned,) = preview.of_invoice(invoice(customer(aurora), "2026-03-12"), policy).planned
    (way,) = planned.ways
    assert way.content is not None
    assert way.content.text == "1001 3"


def test_ways_are_in_the_order_of_the_policy(aurora: House, sms: ChannelAccount) -> None:
    email = open_account(aurora, "email")
    policy = draft(aurora, email, sms)
    ana = customer(aurora)
    bill = invoice(ana, "2026-03-12")
    only = preview.of_invoice(bill, policy).planned[0]
    assert [way.to for way in only.ways] == ["+5511912345601"]
    ContactAddress.across_organizations.create(
        organization=aurora.organization, contact=ana, kind="email", value="ana@exemplo.com"
    )
    both = preview.of_invoice(bill, policy).planned[0]
    assert [(way.account.connector, way.to) for way in both.ways] == [
        ("email", "ana@exemplo.com"),
        ("sms", "+5511912345601"),
    ]
    assert both.ways[0].content is not None
    assert both.ways[0].content.subject == "Bill"


def test_reminder_waits_for_the_hours_of_its_channel(aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms, rules=(rule(4),), days_off="none", send_at=hour(6))
    (planned,) = preview.of_invoice(invoice(customer(aurora), "2026-03-04"), policy).planned
    assert planned.leaves_at is not None
    assert planned.leaves_at > planned.at
    assert planned.leaves_at.date().isoformat() == "2026-03-09"  # not on a Sunday


def test_what_is_not_sent_says_why(aurora: House, sms: ChannelAccount) -> None:
    email = open_account(aurora, "email")
    ana = customer(aurora)
    bill = invoice(ana, "2026-03-12")
    nowhere = draft(aurora, email, name="email")
    assert {each.reason for each in preview.of_invoice(bill, nowhere).planned} == {"no_channel"}
    policy = draft(aurora, sms, name="sms")
    suppressions.add(aurora.organization.id, "phone", ["+5511912345601"], ConsentSource.API)
    planned = preview.of_invoice(bill, policy).planned[0]
    assert (planned.reason, planned.leaves_at) == ("opted_out", None)
    assert planned.detail


def test_missed_reminders_are_shown_as_the_planner_treats_them(
    aurora: House, sms: ChannelAccount, time: Time
) -> None:
    live_policy(aurora, [sms], rule(-3), rule(-1))
    bill = invoice(customer(aurora), "2026-03-12")
    time.is_("2026-03-11", "23:59")
    assert days_of(preview.of_invoice(bill)) == [("2026-03-09", "merged"), ("2026-03-12", "")]


def test_customer_gets_one_message_of_what_is_due_together(aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms, rules=(rule(0),))
    ana = customer(aurora)
    for n in range(3):
        invoice(ana, "2026-03-12", str(n))
    (planned,) = preview.of_customer(ana, policy).planned
    assert len(planned.invoices) == 3
    content = planned.ways[0].content
    assert content is not None
    assert content.text.startswith("3 bills")


def test_customer_who_had_enough_is_written_to_the_next_day(aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms, rules=(rule(0),), joins_invoices=False, most_a_day=1)
    ana = customer(aurora)
    for n in range(3):
        invoice(ana, "2026-03-10", str(n))
    days = [day for day, _ in days_of(preview.of_customer(ana, policy))]
    assert days == ["2026-03-10", "2026-03-11", "2026-03-12"]


def test_week_of_a_customer_counts_what_is_foreseen_in_it(aurora: House, sms: ChannelAccount) -> None:
    rules = tuple(rule(offset) for offset in range(4))
    policy = draft(aurora, sms, rules=rules, most_a_day=1, most_a_week=2, days_off="none")
    ana = customer(aurora)
    invoice(ana, "2026-03-09")
    days = [day for day, why in days_of(preview.of_customer(ana, policy)) if not why]
    assert days == ["2026-03-09", "2026-03-10", "2026-03-16"]


def test_preview_takes_as_many_statements_for_many_invoices(aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms)
    counts = []
    for size in (1, 12):
        ana = customer(aurora, f"+55119123457{size:02}")
        for n in range(size):
            invoice(ana, f"2026-03-{10 + n}", f"{size}-{n}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert preview.of_customer(ana, policy).planned
        counts.append(len(queries))
    assert counts[0] == counts[1]


def portfolio(house: House, size: int) -> list[Invoice]:
    return [invoice(customer(house, f"+5511912{n:06}"), "2026-03-12", str(n)) for n in range(size)]


def test_portfolio_is_counted_by_day_and_channel(aurora: House, boreal: House, sms: ChannelAccount) -> None:
    email = open_account(aurora, "email")
    policy = draft(aurora, email, sms, least_amount=1000)
    portfolio(aurora, 3)
    portfolio(boreal, 2)
    ana = customer(aurora, "+5511912345601")
    ContactAddress.across_organizations.create(
        organization=aurora.organization, contact=ana, kind="email", value="ana@exemplo.com"
    )
    for n in range(2):
        invoice(ana, "2026-03-12", f"of ana {n}")
    invoice(ana, "2026-03-12", "small", amount=999)
    nobody = customer(aurora, "+5511912345602")
    ContactAddress.across_organizations.filter(contact=nobody).delete()
    invoice(nobody, "2026-03-12", "of nobody")
    run = dry_run.of_policy(policy)
    assert (run.read, run.of, run.fits, run.customers, run.unreachable) == (7, 7, 6, 5, 1)
    counted = {(day.isoformat(), channel): count for (day, channel), count in run.messages.items()}
    days = ("2026-03-09", "2026-03-12")
    assert counted == {(day, "sms"): 3 for day in days} | {(day, "email"): 1 for day in days}
    assert sum(run.reminders.values()) == 10
    assert run.by_channel == {"sms": 6, "email": 2}


def test_portfolio_is_read_in_parts_up_to_its_limit(
    aurora: House, sms: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = draft(aurora, sms, rules=(rule(0),))
    portfolio(aurora, 5)
    monkeypatch.setattr(dry_run, "AT_ONCE", 2)
    assert sum(dry_run.of_policy(policy).messages.values()) == 5
    monkeypatch.setattr(dry_run, "MOST_INVOICES", 3)
    run = dry_run.of_policy(policy)
    assert (run.read, run.of, sum(run.messages.values())) == (3, 5, 3)


def test_portfolio_leaves_out_what_was_sent_already(aurora: House, sms: ChannelAccount, time: Time) -> None:
    policy = live_policy(aurora, [sms], rule(0))
    first, second = portfolio(aurora, 2)
    plan.run()
    ReminderPlan.across_organizations.filter(invoice=second).update(look_at=None)
    time.is_("2026-03-12")
    plan.run()
    assert [row.invoice_id for row in Reminder.across_organizations.all()] == [first.id]
    assert sum(dry_run.of_policy(policy).messages.values()) == 1


def test_api_previews_an_invoice_a_customer_and_the_portfolio(
    aurora: House, owner: Api, sms: ChannelAccount, boreal: House
) -> None:
    policy = draft(aurora, sms, rules=(rule(0),))
    page = f"{POLICIES}/{policy.id}/preview"
    ana = customer(aurora)
    bill = invoice(ana, "2026-03-12")
    of_invoice = owner.post(page, {"invoice_id": str(bill.id)}).json()
    assert of_invoice["follows"] == [str(policy.id)]
    assert of_invoice["portfolio"] is None
    (reminder,) = of_invoice["reminders"]
    assert reminder["invoices"] == [{"id": str(bill.id), "number": "1001"}]
    (way,) = reminder["ways"]
    assert (way["channel"], way["to"], way["reason"]) == ("sms", "+5511912345601", "")
    assert way["text"].replace("\xa0", " ") == "1001 R$ 149,90"
    assert owner.post(page, {"contact_id": str(ana.id)}).json() == of_invoice
    portfolio = owner.post(page, {}).json()["portfolio"]
    assert portfolio["by_day"] == [{"day": "2026-03-12", "channel": "sms", "messages": 1, "reminders": 1}]
    assert owner.post(page, {"days": 3}).json()["portfolio"]["by_day"] == []
    theirs = invoice(customer(boreal), "2026-03-12")
    for named in ({"invoice_id": str(theirs.id)}, {"contact_id": str(theirs.contact_id)}):
        assert owner.post(page, named).status_code == 404


def test_api_previews_an_invoice_by_the_live_policies(
    aurora: House, owner: Api, sms: ChannelAccount, time: Time
) -> None:
    bill = invoice(customer(aurora), "2026-03-12")
    page = f"/v1/invoices/{bill.id}/reminders/preview"
    assert owner.get(page).json() == {"follows": [], "reminders": [], "portfolio": None}
    policy = live_policy(aurora, [sms])
    shown = owner.get(page).json()
    assert shown["follows"] == [str(policy.id)]
    assert len(shown["reminders"]) == 3
    time.now += timedelta(days=1)
    assert len(owner.get(page).json()["reminders"]) == 3


def test_time_to_reply_that_is_over_is_known_before(aurora: House, sms: ChannelAccount) -> None:
    """A text of one's own goes over WhatsApp only to who wrote just before: else the next channel is first."""
    whatsapp = open_account(aurora, "whatsapp_cloud", reply_window=ReplyWindow.ENFORCED)
    ana = customer(aurora)
    bill = invoice(ana, "2026-03-12")
    (planned,) = preview.of_invoice(bill, draft(aurora, whatsapp, sms, rules=(rule(0),))).planned
    assert [way.code for way in planned.ways] == ["outside_window", ""]
    assert (planned.reason, planned.leaves_at is not None) == ("", True)
    (alone,) = preview.of_invoice(bill, draft(aurora, whatsapp, rules=(rule(0),), name="alone")).planned
    assert (alone.reason, alone.leaves_at) == ("outside_window", None)
    assert "approved" in alone.detail
