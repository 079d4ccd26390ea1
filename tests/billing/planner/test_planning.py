"""What is due is handed over once, to whom and in which words the policy says; and nothing else is."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import organizations
from apps.billing import plans, policies
from apps.billing.models import Anchor, Invoice, Late, Reminder, ReminderPlan, Touch
from apps.billing.planner import plan
from apps.channels.models import ChannelAccount
from apps.messaging import contacts
from apps.messaging.wording.variables import Variable, VariableType
from tests.billing.portfolio import (
    Time,
    customer,
    invoice,
    live_policy,
    reminded,
    rule,
    template,
    texts,
)
from tests.cast import House


def test_invoice_is_reminded_of_on_its_days(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms])
    bill = invoice(customer(aurora), "2026-03-12")
    for day in range(2, 28):
        time.is_(f"2026-03-{day:02}")
        plan.run()
    assert reminded(bill) == [("2026-03-09", "told"), ("2026-03-12", "told"), ("2026-03-17", "told")]
    assert [text.replace("\xa0", " ") for text in texts(aurora)] == ["1001 R$ 149,90"] * 3


def test_reminder_waits_for_its_hour(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(-3))
    bill = invoice(customer(aurora), "2026-03-12")
    plan.run()
    time.is_("2026-03-09", "08:59")
    plan.run()
    assert reminded(bill) == []
    time.is_("2026-03-09", "09:00")
    plan.run()
    assert reminded(bill) == [("2026-03-09", "told")]


def test_hour_is_that_of_the_customer(aurora: House, sms: ChannelAccount, time: Time) -> None:
    """In Acre it is two hours earlier."""
    live_policy(aurora, [sms], rule(-3))
    bill = invoice(customer(aurora, "+5568912345601"), "2026-03-12")
    plan.run()
    time.is_("2026-03-09", "10:59")
    plan.run()
    assert reminded(bill) == []
    time.is_("2026-03-09", "11:00")
    plan.run()
    assert reminded(bill) == [("2026-03-09", "told")]


def test_second_look_reminds_of_nothing_twice(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(0))
    bill = invoice(customer(aurora), "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    for _ in range(3):
        plan.run()
        plans.look_again(aurora.organization, [bill.id])
    assert reminded(bill) == [("2026-03-03", "told")]


def test_planner_that_dies_has_done_nothing(
    aurora: House, sms: ChannelAccount, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_policy(aurora, [sms], rule(0))
    bill = invoice(customer(aurora), "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    with monkeypatch.context() as patch:
        patch.setattr("apps.billing.planner.batch.set_looks", _dies)
        with pytest.raises(KeyboardInterrupt):
            plan.run()
    assert (reminded(bill), texts(aurora)) == ([], [])
    plan.run()
    assert reminded(bill) == [("2026-03-03", "told")]
    assert len(texts(aurora)) == 1


@pytest.mark.parametrize("status", ["cancelled", "disputed", "paid"])
def test_nobody_is_reminded_of_what_is_not_owed(
    aurora: House, sms: ChannelAccount, time: Time, status: str
) -> None:
    live_policy(aurora, [sms], rule(0))
    paid_at = time.now if status == "paid" else None
    bill = invoice(customer(aurora), "2026-03-03", status=status, paid_at=paid_at)
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert reminded(bill) == []
    assert ReminderPlan.across_organizations.get(invoice=bill).look_at is None


def test_payment_is_thanked_for(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(0), rule(1, Anchor.PAID))
    bill = invoice(customer(aurora), "2026-03-20")
    plan.run()
    bill.status, bill.paid_at, bill.changed_at = "paid", time.now, time.now
    bill.save()
    plans.look_again(aurora.organization, [bill.id])
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert reminded(bill) == [("2026-03-03", "told")]


def test_policy_does_not_begin_with_a_flood(aurora: House, sms: ChannelAccount, time: Time) -> None:
    """Of an old portfolio only what comes from now on."""
    bill = invoice(customer(aurora), "2026-02-20", created_at=time.now - timedelta(days=60))
    live_policy(aurora, [sms], rule(1), rule(5), rule(11))
    plan.run()
    assert reminded(bill) == []
    time.is_("2026-03-03")
    plan.run()
    assert reminded(bill) == [("2026-03-03", "told")]


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (Late.MERGE, [("2026-03-04", "merged"), ("2026-03-05", "told")]),
        (Late.SKIP, [("2026-03-04", "late"), ("2026-03-05", "late")]),
        (Late.SEND, [("2026-03-04", "told"), ("2026-03-05", "told")]),
    ],
)
def test_beat_that_was_down_for_two_days(
    aurora: House, sms: ChannelAccount, time: Time, late: Late, expected: list[tuple[str, str]]
) -> None:
    live_policy(aurora, [sms], rule(0), rule(1), late=late, most_a_day=1)
    bill = invoice(customer(aurora), "2026-03-04")
    plan.run()
    time.is_("2026-03-06")
    plan.run()
    sent_at_once = Touch.across_organizations.count()
    time.is_("2026-03-07", "13:00")
    plan.run()
    assert reminded(bill) == expected
    assert sent_at_once <= 1


def test_invoices_of_a_customer_go_in_one_message(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(0), rule(-3))
    ana = customer(aurora)
    bills = [
        invoice(ana, "2026-03-05", "1002", amount=100),
        invoice(ana, "2026-03-02", "1003"),
        invoice(ana, "2026-03-05", "1004", currency="USD"),
    ]
    time.is_("2026-03-05")
    for bill in bills:
        Invoice.across_organizations.filter(pk=bill.pk).update(due_on="2026-03-05")
    plan.run()
    joined, dollars = sorted(texts(aurora), key=len, reverse=True) + [""] * (2 - len(texts(aurora)))
    assert joined.replace("\xa0", " ").startswith("2 bills, R$ 150,90:")
    # The second message of the day is one too many.
    assert dollars == ""
    assert [reminded(bill) for bill in bills] == [[("2026-03-05", "told")]] * 2 + [[]]


def test_customer_who_has_had_enough_is_left_alone_until_another_day(
    aurora: House, sms: ChannelAccount, time: Time
) -> None:
    live_policy(aurora, [sms], rule(0), joins_invoices=False, most_a_day=2, most_a_week=3)
    ana, bia = customer(aurora), customer(aurora, "+5511912345602")
    for number in range(5):
        invoice(ana, "2026-03-03", f"a{number}")
    invoice(bia, "2026-03-03", "b")
    sent = []
    for day in range(2, 15):
        time.is_(f"2026-03-{day:02}")
        plan.run()
        sent.append(Touch.across_organizations.filter(contact=ana).count())
    assert sent == [0, 2, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5]
    assert Touch.across_organizations.filter(contact=bia).count() == 1


def test_first_policy_that_fits_is_followed(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(0), name="Large", position=1, least_amount=100_000)
    live_policy(aurora, [sms], rule(1), name="Friends", position=2, tags=["friend"])
    ana = customer(aurora)
    bills = [
        invoice(ana, "2026-03-03", "1", amount=100_000),
        invoice(ana, "2026-03-03", "2", tags=["friend"]),
        invoice(ana, "2026-03-03", "3"),
    ]
    for day in (2, 3, 4):
        time.is_(f"2026-03-{day:02}")
        plan.run()
    assert [reminded(bill) for bill in bills] == [[("2026-03-03", "told")], [("2026-03-04", "told")], []]


def test_template_that_asks_for_more_than_the_invoice_has_is_said_so(
    aurora: House, sms: ChannelAccount, time: Time
) -> None:
    variables = (Variable("pix_code", VariableType.TEXT, "000201"),)
    template(aurora, "pix", body="{{ pix_code }}", variables=variables)
    live_policy(aurora, [sms], rule(0, template="pix"))
    bill = invoice(customer(aurora), "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert reminded(bill) == [("2026-03-03", "missing_variable")]


def test_due_date_that_moves_is_planned_anew(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(-3))
    bill = invoice(customer(aurora), "2026-03-09")
    plan.run()
    time.is_("2026-03-06")
    plan.run()
    bill.due_on, bill.changed_at = bill.due_on + timedelta(days=7), time.now
    bill.save()
    plans.look_again(aurora.organization, [bill.id])
    for day in range(6, 20):
        time.is_(f"2026-03-{day:02}")
        plan.run()
    assert reminded(bill) == [("2026-03-06", "told"), ("2026-03-13", "told")]


def test_policy_that_changes_is_planned_anew(aurora: House, sms: ChannelAccount, time: Time) -> None:
    policy = live_policy(aurora, [sms], rule(-3))
    bill = invoice(customer(aurora), "2026-03-09")
    plan.run()
    policies.change(aurora.principal(), policy, [rule(-5)])
    time.passes(minutes=1)
    plan.run()
    time.is_("2026-03-04")
    plan.run()
    time.is_("2026-03-06")
    plan.run()
    assert reminded(bill) == [("2026-03-04", "told")]


def test_policy_that_is_stopped_reminds_nobody(aurora: House, sms: ChannelAccount, time: Time) -> None:
    policy = live_policy(aurora, [sms], rule(-3))
    bill = invoice(customer(aurora), "2026-03-09")
    plan.run()
    policies.stop(aurora.principal(), policy)
    time.is_("2026-03-06")
    plan.run()
    assert reminded(bill) == []


def test_other_organizations_follow_their_own(
    aurora: House, boreal: House, sms: ChannelAccount, time: Time
) -> None:
    live_policy(aurora, [sms], rule(0))
    theirs = invoice(customer(boreal), "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert reminded(theirs) == []


def test_batch_takes_as_many_statements_whatever_it_holds(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(0))
    counts = []
    for many in (2, 40):
        time.is_("2026-03-02")
        for n in range(many):
            invoice(customer(aurora, f"+55119{many:02}{n:06}"), "2026-03-03", f"{many}/{n}")
        plan.run()
        time.is_("2026-03-03")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert plan.plan_batch() == many
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_what_is_not_due_is_not_read(aurora: House, sms: ChannelAccount, time: Time) -> None:
    live_policy(aurora, [sms], rule(0))
    for n in range(30):
        invoice(customer(aurora, f"+5511912{n:06}"), "2026-04-03", str(n))
    plan.run()
    with CaptureQueriesContext(connection) as captured:
        assert plan.plan_batch() == 0
    assert not any("invoice" in query["sql"] and "reminder_plan" not in query["sql"] for query in captured)


def test_two_planners_do_not_work_at_once(
    transactional_db: None, aurora: House, sms: ChannelAccount, time: Time
) -> None:
    live_policy(aurora, [sms], rule(0))
    bill = invoice(customer(aurora), "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [plan._LOCK])
            assert plan.plan_batch() == 0
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert plan.plan_batch() == 1
    assert Reminder.across_organizations.filter(invoice=bill).count() == 1


def _dies(_looks: object) -> None:
    raise KeyboardInterrupt


def test_merged_customer_keeps_the_policy_made_for_them(aurora: House, sms: ChannelAccount, time: Time) -> None:
    ana, again = customer(aurora), customer(aurora, "+5511912345602", "Ana Souza")
    policy = live_policy(aurora, [sms], rule(0), customers=[ana.id])
    bill = invoice(ana, "2026-03-03")
    plan.run()
    contacts.merge(aurora.principal(), ana, again)
    policy.refresh_from_db()
    assert policy.customers == [again.id]
    assert ReminderPlan.across_organizations.get(invoice=bill).look_at == time.now
    time.is_("2026-03-03")
    plan.run()
    assert reminded(bill) == [("2026-03-03", "told")]


def test_suspended_organization_reminds_once_that_is_lifted(
    aurora: House, sms: ChannelAccount, time: Time
) -> None:
    live_policy(aurora, [sms], rule(0))
    bill = invoice(customer(aurora), "2026-03-03")
    plan.run()
    actor = aurora.principal().actor
    organizations.suspend(actor, aurora.organization, reason="x")
    time.is_("2026-03-03", "09:00")
    plan.run()
    assert reminded(bill) == []
    organizations.lift(actor, aurora.organization)
    time.is_("2026-03-03", "10:01")
    plan.run()
    assert reminded(bill) == [("2026-03-03", "told")]
