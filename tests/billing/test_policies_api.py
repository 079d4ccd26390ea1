"""Reminder policies over the API: written, changed, put live, stopped, removed."""

from typing import Any

import pytest

from apps.billing.models import ReminderPolicy, ReminderRule
from apps.channels.models import ChannelAccount
from tests.billing.policies import POLICIES, body
from tests.billing.portfolio import TEMPLATE, template
from tests.cast import Api, House
from tests.messaging.desk import open_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def sms(aurora: House) -> ChannelAccount:
    template(aurora)
    return open_account(aurora, "sms")


def written(api: Api, sms: ChannelAccount, **values: Any) -> Any:
    answer = api.post(POLICIES, body(sms, **values))
    assert answer.status_code == 201, answer.json()
    return answer.json()


def errors_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.json()
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


def test_policy_is_written_whole_and_read_back(owner: Api, sms: ChannelAccount) -> None:
    given = body(
        sms,
        position=2,
        delivered_within=600,
        send_at="10:30",
        days_off="banking",
        quiet_hours=[
            {"channel": "sms", "state": "SP", "weekdays": ["09:00", "18:00"], "saturday": None, "sunday": None}
        ],
        most_a_day=2,
        most_a_week=5,
        joins_invoices=False,
        late="skip",
        least_amount=1000,
        most_amount=500_000,
        tags=["gold"],
        except_tags=["vip"],
        result_days=7,
        rules=[
            {"anchor": "due", "offset": -10, "template": TEMPLATE, "channel_templates": {"email": TEMPLATE}},
            {"anchor": "overdue", "offset": 1, "repeat_every": 7, "repeat_until": 60, "template": TEMPLATE},
        ],
    )
    made = owner.post(POLICIES, given)
    assert made.status_code == 201, made.json()
    shown = owner.get(f"{POLICIES}/{made.json()['id']}").json()
    assert shown == made.json()
    rules = [
        {name: rule[name] for name in wanted} for rule, wanted in zip(shown["rules"], given["rules"], strict=True)
    ]
    assert {**shown, "rules": rules} == {**shown, **given}
    assert (shown["is_live"], shown["live_since"]) == (False, None)
    assert owner.get(POLICIES).json()["data"] == [shown]


def test_rules_keep_their_ids_and_those_not_named_go(owner: Api, sms: ChannelAccount) -> None:
    made = written(owner, sms)
    first, second = made["rules"]
    answer = owner.patch(
        f"{POLICIES}/{made['id']}", {"rules": [{**second, "offset": 2}, {"offset": 9, "template": TEMPLATE}]}
    )
    assert answer.status_code == 200, answer.json()
    changed, added = answer.json()["rules"]
    assert (changed["id"], changed["offset"]) == (second["id"], 2)
    assert added["id"] not in {first["id"], second["id"]}
    assert ReminderRule.across_organizations.count() == 2


def test_change_without_rules_leaves_them(owner: Api, sms: ChannelAccount) -> None:
    made = written(owner, sms)
    answer = owner.patch(f"{POLICIES}/{made['id']}", {"name": "Others"})
    assert answer.status_code == 200
    assert answer.json() == {**made, "name": "Others"}


@pytest.mark.parametrize("other", ["unknown", "twice"])
def test_rule_is_named_by_an_id_of_the_policy_once(owner: Api, sms: ChannelAccount, other: str) -> None:
    made = written(owner, sms)
    elsewhere = written(owner, sms, name="Another")
    first = made["rules"][0]
    second = first if other == "twice" else elsewhere["rules"][0]
    answer = owner.patch(f"{POLICIES}/{made['id']}", {"rules": [first, second]})
    assert errors_of(answer) == {"/rules/1/id": "unknown_rule"}


def test_mistakes_are_named_where_they_are(owner: Api, sms: ChannelAccount) -> None:
    answer = owner.post(
        POLICIES,
        body(
            sms,
            least_amount=200,
            most_amount=100,
            rules=[{"offset": 0, "template": "nowhere"}, {"offset": 0, "template": TEMPLATE, "repeat_every": 7}],
        ),
    )
    assert errors_of(answer) == {
        "/most_amount": "invalid",
        "/rules/0/template": "unknown_template",
        "/rules/1/repeat_until": "invalid",
    }
    assert not ReminderPolicy.across_organizations.exists()


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"accounts": ["x"]}, "/accounts/0", "invalid"),
        ({"least_amount": 1.5}, "/least_amount", "wrong_type"),
        ({"most_amount": 10**16}, "/most_amount", "max_value"),
        ({"delivered_within": 5}, "/delivered_within", "min_value"),
        ({"send_at": "25:00"}, "/send_at", "invalid"),
        ({"send_at": "09:00:00"}, "/send_at", "invalid"),
        ({"days_off": "never"}, "/days_off", "invalid_choice"),
        ({"colour": "red"}, "/colour", "unknown_field"),
        ({"rules": []}, "/rules", "required"),
        ({"rules": [{"offset": 0, "template": TEMPLATE, "colour": 1}]}, "/rules/0/colour", "unknown_field"),
        ({"rules": [{"offset": "0", "template": TEMPLATE}]}, "/rules/0/offset", "wrong_type"),
    ],
)
def test_wrong_value_is_refused(owner: Api, sms: ChannelAccount, given: Any, pointer: str, code: str) -> None:
    assert errors_of(owner.post(POLICIES, body(sms, **given))) == {pointer: code}


def test_account_and_template_of_another_organization_do_not_exist(
    owner: Api, sms: ChannelAccount, boreal: House
) -> None:
    template(boreal, "theirs")
    theirs = open_account(boreal, "sms")
    rules = [{"offset": 0, "template": "theirs"}]
    answer = owner.post(POLICIES, body(theirs, rules=rules))
    assert errors_of(answer) == {"/accounts/0": "unknown_account", "/rules/0/template": "unknown_template"}


def test_policy_goes_live_and_is_stopped(owner: Api, sms: ChannelAccount) -> None:
    page = f"{POLICIES}/{written(owner, sms)['id']}"
    live = owner.post(f"{page}/go-live").json()
    assert live["is_live"]
    assert live["live_since"]
    assert owner.post(f"{page}/go-live").json() == live
    stopped = owner.post(f"{page}/stop").json()
    assert (stopped["is_live"], stopped["live_since"]) == (False, None)


def test_policy_is_removed(owner: Api, sms: ChannelAccount) -> None:
    page = f"{POLICIES}/{written(owner, sms)['id']}"
    assert owner.delete(page).status_code == 204
    assert owner.get(page).status_code == 404


def test_name_is_given_once(owner: Api, sms: ChannelAccount) -> None:
    written(owner, sms)
    answer = owner.post(POLICIES, body(sms))
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
