"""Registrations over the API: asked for, found, given back, cancelled; and nothing of what was said."""

from typing import Any

import pytest

from apps.channels.models import ChannelAccount
from apps.core.ids import new_id
from apps.messaging.models import Message
from apps.registration.models import Registration, RegistrationFlow
from tests.cast import Api, House, as_member
from tests.messaging.desk import ANA, BIA, open_account
from tests.registration.talks import Person, counter, live_flow

pytestmark = pytest.mark.django_db(transaction=True)

REGISTRATIONS = "/v1/registrations"


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return counter(aurora)


@pytest.fixture
def flow(aurora: House, account: ChannelAccount) -> RegistrationFlow:
    return live_flow(aurora, account)


def wanted(flow: RegistrationFlow, **values: Any) -> dict[str, Any]:
    return {"flow_id": str(flow.id), "account_id": str(flow.accounts[0]), "to": ANA} | values


def errors_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.json()
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


def test_somebody_is_asked_to_register(owner: Api, account: ChannelAccount, flow: RegistrationFlow) -> None:
    answer = owner.post(REGISTRATIONS, wanted(flow, language="en"))
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert (made["state"], made["language"], made["started_by"], made["version"]) == ("consent", "en", "api", 1)
    assert (made["person_id"], made["ended_at"], made["turns"]) == (None, None, 0)
    ana = Person(account)
    assert "We keep your data" in ana.answers()[0]
    assert "full name" in ana.says("yes")
    assert owner.get(f"{REGISTRATIONS}/{made['id']}").json()["step"] == "name"


def test_repeated_request_asks_once(owner: Api, flow: RegistrationFlow) -> None:
    answers = [owner.post(REGISTRATIONS, wanted(flow), **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Message.across_organizations.count() == 1


def test_one_at_a_time_is_going_on(owner: Api, flow: RegistrationFlow) -> None:
    owner.post(REGISTRATIONS, wanted(flow))
    answer = owner.post(REGISTRATIONS, wanted(flow))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_running")
    assert Message.across_organizations.count() == 1


def test_mistakes_are_named(owner: Api, aurora: House, flow: RegistrationFlow) -> None:
    other = open_account(aurora, "sms")
    for values, expected in (
        ({"flow_id": str(new_id())}, {"/flow_id": "unknown_flow"}),
        ({"account_id": str(other.id)}, {"/account_id": "not_of_the_flow"}),
        ({"to": "nobody"}, {"/to": "bad_address"}),
        ({"template": {"name": "nowhere"}}, {"/template/name": "unknown_template"}),
        ({"template": {"name": "x", "variables": {"a": []}}}, {"/template/variables/a": "wrong_type"}),
    ):
        assert errors_of(owner.post(REGISTRATIONS, wanted(flow, **values))) == expected
    assert not Registration.across_organizations.exists()


def test_flow_that_is_stopped_asks_nobody(owner: Api, flow: RegistrationFlow) -> None:
    owner.post(f"/v1/registration-flows/{flow.id}/stop")
    assert errors_of(owner.post(REGISTRATIONS, wanted(flow))) == {"/flow_id": "not_live"}


def test_list_is_narrowed_down(owner: Api, aurora: House, account: ChannelAccount, flow: RegistrationFlow) -> None:
    other = live_flow(aurora, account, name="Outro", keywords=["outro"])
    ana, bia = Person(account), Person(account, BIA)
    ana.says("cadastro", "sim", "Ana Lima", "ana@exemplo.com.br")
    bia.says("outro", "não")
    first, second = ana.registration, bia.registration

    def ids(query: str) -> list[str]:
        return [each["id"] for each in owner.get(f"{REGISTRATIONS}?{query}").json()["data"]]

    assert ids("") == [str(second.id), str(first.id)]
    assert ids(f"flow_id={other.id}") == [str(second.id)]
    assert ids("state=asking") == [str(first.id)]
    assert ids(f"conversation_id={first.conversation_id}&state=asking") == [str(first.id)]
    assert ids(f"flow_id={flow.id}&state=declined") == []
    assert owner.get(f"{REGISTRATIONS}?flow={flow.id}").status_code == 400
    page = owner.get(f"{REGISTRATIONS}?limit=1").json()
    assert [each["id"] for each in owner.get(page["next"]).json()["data"]] == [str(first.id)]


def test_nothing_that_was_said_is_shown(owner: Api, account: ChannelAccount, flow: RegistrationFlow) -> None:
    ana = Person(account)
    ana.says("cadastro", "sim", "Ana Lima", "ana@exemplo.com.br", "529.982.247-25", "sim")
    shown = owner.get(f"{REGISTRATIONS}/{ana.registration.id}").content.decode()
    listed = owner.get(REGISTRATIONS).content.decode()
    assert ana.registration.confirmed
    for word in ("Ana", "ana@", "52998224725", ANA.removeprefix("+"), "confirmed", "opening"):
        assert word not in shown
        assert word not in listed


def test_person_of_the_team_gives_it_back(aurora: House, account: ChannelAccount, flow: RegistrationFlow) -> None:
    ana, agent = Person(account), as_member(aurora.agent)
    ana.says("cadastro", "sim", "quero falar com um atendente")
    url = f"{REGISTRATIONS}/{ana.registration.id}/hand-back"
    answer = agent.post(url)
    assert (answer.status_code, answer.json()["state"], answer.json()["step"]) == (200, "asking", "name")
    again = agent.post(url)
    assert (again.status_code, again.json()["code"]) == (409, "not_handed_over")


def test_cancelled_one_has_ended(owner: Api, account: ChannelAccount, flow: RegistrationFlow) -> None:
    made = owner.post(REGISTRATIONS, wanted(flow)).json()
    answer = owner.post(f"{REGISTRATIONS}/{made['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert answer.json()["ended_at"]
    again = owner.post(f"{REGISTRATIONS}/{made['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "has_ended")


def test_viewers_only_look(aurora: House, flow: RegistrationFlow) -> None:
    viewer = as_member(aurora.viewer)
    assert viewer.get(REGISTRATIONS).status_code == 200
    assert viewer.post(REGISTRATIONS, wanted(flow)).status_code == 403


def test_list_takes_few_statements(
    owner: Api, account: ChannelAccount, flow: RegistrationFlow, django_assert_max_num_queries: Any
) -> None:
    for address in (ANA, BIA, "+5511912345603", "+5511912345604"):
        assert owner.post(REGISTRATIONS, wanted(flow, to=address)).status_code == 201
    owner.get(REGISTRATIONS)
    with django_assert_max_num_queries(4):
        assert len(owner.get(REGISTRATIONS).json()["data"]) == 4
