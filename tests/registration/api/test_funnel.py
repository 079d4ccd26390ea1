"""How far people come in a flow, as the team is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import clock
from apps.registration import funnel
from apps.registration.models import Registration, RegistrationFlow, StartedBy
from tests.cast import Api, House
from tests.messaging import history
from tests.messaging.desk import BIA
from tests.registration.talks import Person, counter, live_flow

pytestmark = pytest.mark.django_db

# State and step, and how many of them.
STOOD: dict[tuple[str, str], int] = {
    ("consent", "consent"): 1,
    ("declined", "consent"): 2,
    ("asking", "name"): 1,
    ("silent", "name"): 3,
    ("stopped", "email"): 2,
    ("with_person", "email"): 1,
    ("cancelled", "tax_id"): 1,
    ("confirming", "summary"): 1,
    ("stopped", "summary"): 1,
    ("completed", "summary"): 4,
    # Asked by an earlier version.
    ("silent", "shoe_size"): 1,
}


@pytest.fixture
def flow(aurora: House) -> RegistrationFlow:
    return live_flow(aurora, history.account_of(aurora))


def stood(house: House, flow: RegistrationFlow, state: str, step: str = "", **values: Any) -> Registration:
    assert flow.published
    conversation = history.queued(house).conversation
    now = clock.now()
    given = {"ended_at": now, "started_at": now, "changed_at": now, "started_by": StartedBy.KEYWORD} | values
    return Registration.across_organizations.create(
        organization=house.organization, flow=flow, version=flow.published, conversation=conversation,
        contact=conversation.contact, language="pt-BR", state=state, step=step, **given,
    )  # fmt: skip


def test_each_is_counted_as_far_as_they_came(aurora: House, flow: RegistrationFlow) -> None:
    for (state, step), count in STOOD.items():
        for _ in range(count):
            stood(aurora, flow, state, step)
    found = funnel.of_flow(flow)
    assert (found.started, found.consented) == (18, 15)
    assert [(key, reached) for key, _, reached in found.steps] == [("name", 14), ("email", 10), ("tax_id", 7)]
    assert (found.summary, found.completed, found.running) == (6, 4, 3)
    assert found.ended == {"declined": 2, "stopped": 3, "silent": 4, "cancelled": 1, "with_person": 1}
    dropped = {"consent": 2, "name": 3, "email": 2, "tax_id": 1, "shoe_size": 1, "summary": 1}
    assert list(found.dropped.items()) == list(dropped.items())


def test_corrections_of_what_is_known_are_counted_apart(aurora: House, flow: RegistrationFlow) -> None:
    stood(aurora, flow, "completed", "summary")
    for state, step in (
        ("completed", "summary"),
        ("completed", "summary"),
        ("silent", "email"),
        ("asking", "name"),
    ):
        stood(aurora, flow, state, step, is_update=True)
    found = funnel.of_flow(flow)
    assert (found.started, found.consented, found.summary, found.completed, found.running) == (1, 1, 1, 1, 0)
    assert found.updates == 2
    assert not found.dropped
    assert not any(found.ended.values())


@pytest.mark.django_db(transaction=True)
def test_whoever_stops_at_the_summary_had_consented(aurora: House) -> None:
    account = counter(aurora)
    flow = live_flow(aurora, account)
    Person(account).says("cadastro", "sim", "Ana Lima", "ana@exemplo.com.br", "não tenho", "não quero mais")
    Person(account, BIA).says("cadastro", "não quero mais")
    assert funnel.of_flow(flow).dropped == {"consent": 1, "summary": 1}


def test_only_those_of_the_period_and_the_flow_count(aurora: House, flow: RegistrationFlow) -> None:
    other = live_flow(aurora, history.account_of(aurora), name="Outro")
    stood(aurora, other, "completed")
    stood(aurora, flow, "completed", started_at=clock.now() - timedelta(days=8))
    stood(aurora, flow, "declined")
    assert funnel.of_flow(flow, 7).started == 1
    assert funnel.of_flow(flow, 9).started == 2


def test_funnel_is_one_statement(aurora: House, flow: RegistrationFlow) -> None:
    for state in ("completed", "declined", "silent"):
        stood(aurora, flow, state)
    known = RegistrationFlow.across_organizations.select_related("published", "organization").get(pk=flow.pk)
    with CaptureQueriesContext(connection) as asked:
        funnel.of_flow(known)
    assert len(asked) == 1


def test_flow_without_questions_has_an_empty_funnel(owner: Api) -> None:
    made = owner.post("/v1/registration-flows", {"name": "Cadastro"}).json()
    answer = owner.get(f"/v1/registration-flows/{made['id']}/funnel")
    assert answer.status_code == 200
    assert (answer.json()["started"], answer.json()["questions"], answer.json()["dropped"]) == (0, [], {})


@pytest.mark.django_db(transaction=True)
def test_conversations_are_counted_where_they_stand(aurora: House, owner: Api) -> None:
    account = counter(aurora)
    flow = live_flow(aurora, account)
    Person(account).says("cadastro", "sim", "Ana Lima", "não quero mais")
    Person(account, BIA).says("cadastro", "sim", "Bia Souza", "bia@exemplo.com.br", "não tenho", "sim")
    shown = owner.get(f"/v1/registration-flows/{flow.id}/funnel?days=1").json()
    assert shown == {
        "started": 2,
        "consented": 2,
        "questions": [
            {"key": "name", "reached": 2, "label": "Name"},
            {"key": "email", "reached": 2, "label": "E-mail"},
            {"key": "tax_id", "reached": 1, "label": "CPF/CNPJ"},
        ],
        "summary": 1,
        "completed": 1,
        "running": 0,
        "otherwise": {"declined": 0, "stopped": 1, "silent": 0, "cancelled": 0, "with_person": 0},
        "dropped": {"email": 1},
        "updates": 0,
    }


@pytest.mark.parametrize("days", ["0", "91", "x"])
def test_period_is_bounded(owner: Api, aurora: House, flow: RegistrationFlow, days: str) -> None:
    answer = owner.get(f"/v1/registration-flows/{flow.id}/funnel?days={days}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/days"
