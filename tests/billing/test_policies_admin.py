"""Reminder policies in the admin: written, put live and read by people who write no JSON."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from pytest_django import Settings

from apps.accounts.models import AuditEvent
from apps.billing.admin.policy_forms import ACCOUNT_FIELDS
from apps.billing.admin.quiet_lines import QuietHoursField
from apps.billing.models import Anchor, Invoice, ReminderPolicy, ReminderRule, Unit
from apps.billing.rule_words import in_words
from apps.channels.models import ChannelAccount
from apps.core import clock
from tests.billing.policies import becomes, draft, drafted, skipped, told, took_the_place, unpaid
from tests.billing.portfolio import TEMPLATE, Time, customer, invoice, rule, template, turn_clock
from tests.cast import House
from tests.live.test_views import browser_of
from tests.messaging import history
from tests.messaging.desk import open_account

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/reminderpolicy/"


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def client(aurora: House) -> Client:
    return browser_of(aurora.admin.user)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return turn_clock(monkeypatch, "2026-03-02")


@pytest.fixture
def sms(aurora: House) -> ChannelAccount:
    template(aurora)
    return open_account(aurora, "sms")


def shown(answer: Any) -> str:
    assert answer.status_code == 200, answer
    content: str = answer.content.decode()
    return content


def page(policy: ReminderPolicy, action: str = "change") -> str:
    return reverse(f"admin:billing_reminderpolicy_{action}", args=[policy.pk])


def typed(*rules: dict[str, str], accounts: tuple[ChannelAccount, ...] = (), **values: str) -> dict[str, str]:
    """As the page sends it."""
    data = {
        "name": "Everybody", "position": "0", "send_at": "09:00", "days_off": "working", "most_a_day": "1",
        "most_a_week": "3", "joins_invoices": "on", "late": "merge", "result_days": "5", "quiet_hours": "",
        "delivered_within": "", "least_amount": "", "most_amount": "", "tags": "", "except_tags": "",
        "customers": "", "rules-TOTAL_FORMS": str(len(rules)), "rules-MIN_NUM_FORMS": "0",
        "rules-INITIAL_FORMS": str(sum("id" in rule for rule in rules)), "rules-MAX_NUM_FORMS": "1000",
    }  # fmt: skip
    for field, account in zip(ACCOUNT_FIELDS, accounts, strict=False):
        data[field] = str(account.pk)
    for n, given in enumerate(rules):
        usual = {
            "count": "0", "side": "before", "unit": "days", "anchor": "due", "template": TEMPLATE,
            "repeat_every": "", "repeat_until": "", "channel_templates": "", "policy": "", "id": "",
        }  # fmt: skip
        data |= {f"rules-{n}-{name}": value for name, value in (usual | given).items()}
    return data | values


def test_policy_is_written_with_channels_in_order_and_rules(
    client: Client, aurora: House, sms: ChannelAccount
) -> None:
    email = open_account(aurora, "email")
    assert shown(client.get(f"{LIST}add/"))
    answer = client.post(
        f"{LIST}add/",
        typed(
            {"count": "10", "channel_templates": f"email = {TEMPLATE}"},
            {"count": "1", "side": "after", "anchor": "overdue", "repeat_every": "7", "repeat_until": "60"},
            accounts=(email, sms),
            quiet_hours="sms SP = 09:00-18:00; 09:00-12:00; never",
            tags="gold, silver",
        ),
    )
    assert answer.status_code == 302, answer.content.decode()
    policy = ReminderPolicy.objects.for_organization(aurora.organization).get()
    assert policy.accounts == [email.pk, sms.pk]
    assert policy.tags == ["gold", "silver"]
    assert policy.quiet_hours == [
        {
            "channel": "sms", "state": "SP", "weekdays": ["09:00", "18:00"], "saturday": ["09:00", "12:00"],
            "sunday": None,
        }
    ]  # fmt: skip
    first, second = policy.rules.order_by("offset")
    assert (first.offset, first.channel_templates) == (-10, {"email": TEMPLATE})
    assert (second.offset, second.anchor, second.repeat_every) == (1, Anchor.OVERDUE, 7)
    assert AuditEvent.across_organizations.filter(action="reminder_policy.added").count() == 1
    text = shown(client.get(page(policy)))
    assert "10 days before it is due" in text
    assert "sms SP = 09:00-18:00; 09:00-12:00; never" in text


def test_rule_that_is_changed_stays_the_same_one(client: Client, aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms, name="Everybody")
    first, second = policy.rules.order_by("offset")
    own = {"id": str(first.pk), "policy": str(policy.pk)}
    gone = {"id": str(second.pk), "policy": str(policy.pk), "DELETE": "on"}
    answer = client.post(page(policy), typed({"count": "7", **own}, gone, {"count": "2"}, accounts=(sms,)))
    assert answer.status_code == 302, answer.content.decode()
    changed, added = ReminderRule.across_organizations.filter(policy=policy).order_by("offset")
    assert (changed.pk, changed.offset) == (first.pk, -7)
    assert added.offset == -2
    assert added.pk != second.pk


@pytest.mark.parametrize(
    ("values", "rule_values", "said"),
    [
        ({"account_1": ""}, {}, "This field is required"),
        ({"quiet_hours": "at noon"}, {}, "is not understood"),
        ({"least_amount": "5", "most_amount": "4"}, {}, "less than the amount from which"),
        ({"most_a_week": "1", "most_a_day": "2"}, {}, "less than what is allowed in a day"),
        ({}, {"anchor": "paid", "count": "2"}, "Nobody knows of a payment before it comes"),
        ({}, {"repeat_every": "5"}, "What repeats has a step and an end"),
        ({}, {"channel_templates": "sms: short"}, "is not understood"),
        ({}, {"channel_templates": "pigeon = bill"}, "This must be one of"),
    ],
)
def test_what_the_api_refuses_is_said_on_the_page(
    client: Client, sms: ChannelAccount, values: dict[str, str], rule_values: dict[str, str], said: str
) -> None:
    data = typed({"count": "3", **rule_values}, accounts=(sms,)) | values
    assert said in shown(client.post(f"{LIST}add/", data))
    assert not ReminderPolicy.across_organizations.exists()


def test_policy_without_a_rule_or_with_a_taken_name_is_refused(
    client: Client, aurora: House, sms: ChannelAccount
) -> None:
    assert "Say at least once when people are reminded" in shown(
        client.post(f"{LIST}add/", typed(accounts=(sms,)))
    )
    draft(aurora, sms, name="Everybody")
    data = typed({"count": "1"}, accounts=(sms,))
    assert "Another policy has this name" in shown(client.post(f"{LIST}add/", data))


def test_policy_goes_live_after_a_look_at_what_it_would_send(
    client: Client, aurora: House, sms: ChannelAccount, time: Time
) -> None:
    policy = draft(aurora, sms, rules=(rule(0),))
    for n in range(3):
        invoice(customer(aurora, f"+551191234560{n}"), "2026-03-12", str(n))
    nobody = customer(aurora, "+5511912345609")
    nobody.addresses.all().delete()
    invoice(nobody, "2026-03-12", "9")
    text = " ".join(shown(client.get(page(policy, "go_live_policy"))).split())
    assert "Of 4 unpaid invoices 4 were looked at; 4 of them follow this policy, of 4 customers." in text
    assert "1 of these customers have no address" in text
    assert "3 over SMS" in text
    assert ReminderPolicy.across_organizations.get().live_since is None
    client.post(page(policy, "go_live_policy"))
    assert ReminderPolicy.across_organizations.get().live_since is not None
    assert "Nobody is reminded by it any more" in shown(client.get(page(policy, "stop_policy")))
    client.post(page(policy, "stop_policy"))
    assert ReminderPolicy.across_organizations.get().live_since is None


def test_calendar_shows_a_month_of_what_is_planned(
    client: Client, aurora: House, sms: ChannelAccount, time: Time
) -> None:
    policy = draft(aurora, sms, rules=(rule(0), rule(30)))
    invoice(customer(aurora), "2026-03-12")
    march = " ".join(shown(client.get(page(policy, "calendar_page"))).split())
    assert "March 2026" in march
    assert march.count("</strong> SMS") == 1
    april = shown(client.get(page(policy, "calendar_page") + "?month=2026-04"))
    assert "April 2026" in april
    assert april.count("</strong> SMS") == 1
    for odd in ("1999-01", "9999-12", "x", "2026-13"):
        assert shown(client.get(page(policy, "calendar_page") + f"?month={odd}"))


def test_results_are_drawn_and_counted(client: Client, aurora: House) -> None:
    policy = drafted(aurora)
    message = history.queued(aurora)
    bill = unpaid(customer(aurora, "+5511912345655"), "1")
    told(policy, bill, message)
    becomes(message.id, status="delivered")
    paid_at = clock.now() + timedelta(minutes=1)
    Invoice.across_organizations.filter(pk=bill.pk).update(status="paid", paid_at=paid_at, paid_amount=14990)
    text = shown(client.get(page(policy, "results_page") + "?days=7"))
    assert text.count("<rect") == 14
    assert "149.90" in text
    assert "<script>" not in text


def test_reader_sees_a_policy_and_changes_nothing(aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms)
    viewer = browser_of(aurora.viewer.user)
    assert "3 days before it is due" in shown(viewer.get(page(policy)))
    assert viewer.post(page(policy), typed({}, accounts=(sms,))).status_code == 403
    for action in ("go_live_policy", "stop_policy"):
        assert viewer.post(page(policy, action)).status_code == 403
    assert viewer.get(f"{LIST}add/").status_code == 403
    assert shown(viewer.get(page(policy, "results_page")))


def test_policy_is_removed(client: Client, aurora: House, sms: ChannelAccount) -> None:
    policy = draft(aurora, sms)
    client.post(page(policy, "delete"), {"post": "yes"})
    assert not ReminderPolicy.across_organizations.exists()
    assert AuditEvent.across_organizations.filter(action="reminder_policy.removed").exists()


def test_other_organizations_policies_do_not_exist(client: Client, aurora: House, boreal: House) -> None:
    theirs = drafted(boreal)
    for action in ("results_page", "calendar_page", "go_live_policy", "stop_policy"):
        assert client.get(page(theirs, action)).status_code == 404
    assert client.get(page(theirs)).status_code == 302
    assert "boreal" not in shown(client.get(LIST))
    reminder = skipped(boreal)
    assert client.get(reverse("admin:billing_reminder_change", args=[reminder.pk])).status_code == 302
    assert "boreal" not in shown(client.get("/admin/billing/reminder/"))


def test_reminders_are_read_with_reasons_and_messages(client: Client, aurora: House) -> None:
    policy = drafted(aurora)
    message = history.queued(aurora)
    reminder = told(policy, unpaid(customer(aurora, "+5511912345655"), "1001"), message)
    took_the_place(message, aurora, status="failed", error_class="rejected", error_code="131026")
    skipped(aurora)
    text = shown(client.get("/admin/billing/reminder/"))
    assert "on the day it is due" in text
    assert "The customer has no address for any channel of the policy." in text
    assert reverse("admin:messaging_message_change", args=[message.pk]) in text
    one = shown(client.get(reverse("admin:billing_reminder_change", args=[reminder.pk])))
    assert "131026" in one
    found = shown(client.get("/admin/billing/reminder/?q=1001"))
    assert "1001" in found
    assert "no address for any channel" not in found


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"offset": -10}, "10 days before it is due"),
        ({"offset": 1}, "1 day after it is due"),
        ({"offset": 0, "anchor": Anchor.PAID}, "when it is paid"),
        ({"offset": 2, "anchor": Anchor.PAID, "unit": Unit.HOURS}, "2 hours after it is paid"),
        ({"offset": 0, "anchor": Anchor.OVERDUE}, "on the last day to pay in time"),
        (
            {"offset": -7, "repeat_every": 7, "repeat_until": 60},
            "7 days before it is due, then every 7 days up to 60 days after",
        ),
    ],
)
def test_rule_is_told_in_words(values: dict[str, Any], said: str) -> None:
    with override("en"):
        assert in_words(ReminderRule(**values)) == said


def test_hours_are_read_as_they_are_written() -> None:
    field = QuietHoursField(required=False)
    lines = "* * = 08:00-20:00; 08:00-14:00; never\nemail * = 07:00-24:00; never; never"
    assert field.prepare_value(field.clean(lines)) == lines
    assert field.clean("") == []
