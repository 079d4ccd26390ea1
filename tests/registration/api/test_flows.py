"""Registration flows over the API: written, published, put live, stopped, removed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from django.db import connection

from apps.channels.models import ChannelAccount
from apps.registration import flows
from apps.registration.models import FlowVersion, Registration, RegistrationFlow
from tests.cast import Api, House, as_member
from tests.registration.talks import Person, counter, definition, hear, live_flow

pytestmark = pytest.mark.django_db

FLOWS = "/v1/registration-flows"


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return counter(aurora)


def written(api: Api, **values: Any) -> Any:
    answer = api.post(FLOWS, {"name": "Cadastro"} | values)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def errors_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.json()
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


def test_flow_is_written_whole_and_read_back(owner: Api, account: ChannelAccount) -> None:
    given = {
        "name": "Clientes",
        "position": 3,
        "accounts": [str(account.id)],
        "keywords": ["cadastro", "quero"],
        "starts_by_intent": False,
        "remind_after": 30,
        "close_after": 600,
        "redact_after": 0,
        "keep_days": 365,
    }
    made = written(owner, **given)
    shown = owner.get(f"{FLOWS}/{made['id']}").json()
    assert shown == made
    assert {**shown, **given} == shown
    assert (shown["is_live"], shown["version"], shown["definition"]) == (False, None, None)
    assert (shown["told_by"], shown["told_at"]) == (None, "")


def test_list_is_without_questions_and_texts(owner: Api, aurora: House, account: ChannelAccount) -> None:
    live_flow(aurora, account)
    (listed,) = owner.get(FLOWS).json()["data"]
    assert (listed["version"], listed["is_live"]) == (1, True)
    assert "definition" not in listed


def test_questions_are_published_as_the_next_version(owner: Api) -> None:
    made = written(owner)
    for number, document in enumerate([definition(), definition({"kind": "email"})], start=1):
        answer = owner.post(f"{FLOWS}/{made['id']}/publish", document)
        assert answer.status_code == 201, answer.json()
        assert (answer.json()["version"], answer.json()["definition"]) == (number, document)
    assert owner.get(f"{FLOWS}/{made['id']}").json()["version"] == 2


def test_repeated_publication_is_one(owner: Api) -> None:
    made = written(owner)
    answers = [
        owner.post(f"{FLOWS}/{made['id']}/publish", definition(), **{"Idempotency-Key": "once"}) for _ in range(2)
    ]
    assert [answer.json()["version"] for answer in answers] == [1, 1]
    assert FlowVersion.across_organizations.count() == 1


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (definition({"kind": "shoe_size"}), "/questions/0/kind", "invalid_choice"),
        ({"languages": ["pt-BR"], "questions": [{"kind": "name"}]}, "/texts/pt-BR/consent", "required"),
        ([], "/definition", "invalid"),
    ],
)
def test_mistakes_in_questions_are_named_where_they_are(
    owner: Api, document: Any, pointer: str, code: str
) -> None:
    made = written(owner)
    assert errors_of(owner.post(f"{FLOWS}/{made['id']}/publish", document)) == {pointer: code}
    assert not FlowVersion.across_organizations.exists()


@pytest.mark.parametrize("text", [" ", "\n", "\u200b", "\u0001\u001b[2J\u202e", "Guardamos\u0000 tudo"])
@pytest.mark.parametrize("name", ["consent", "welcome"])
def test_text_that_nobody_can_read_is_not_published(owner: Api, name: str, text: str) -> None:
    made = written(owner)
    answer = owner.post(f"{FLOWS}/{made['id']}/publish", definition(**{name: text}))
    assert errors_of(answer) == {f"/texts/pt-BR/{name}": "invalid"}


def test_text_may_break_lines_and_be_left_to_the_usual_words(owner: Api) -> None:
    made = written(owner)
    document = definition(consent="Guardamos seus dados.\r\n\tSó isso 👨\u200d👩\u200d👧", welcome="")
    assert owner.post(f"{FLOWS}/{made['id']}/publish", document).status_code == 201


def test_flow_goes_live_once_it_is_published_and_stops(owner: Api) -> None:
    url = f"{FLOWS}/{written(owner)['id']}"
    refused = owner.post(f"{url}/go-live")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_published")
    owner.post(f"{url}/publish", definition())
    assert owner.post(f"{url}/go-live").json()["is_live"] is True
    assert owner.post(f"{url}/stop").json()["is_live"] is False


def test_what_is_left_out_of_a_change_stays(owner: Api) -> None:
    made = written(owner, keywords=["oi"], keep_days=30)
    changed = owner.patch(f"{FLOWS}/{made['id']}", {"keep_days": None, "name": "Outros"})
    assert changed.status_code == 200, changed.json()
    assert changed.json() == {**made, "keep_days": None, "name": "Outros"}


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"name": ""}, "/name", "blank"),
        ({"nmae": "x"}, "/nmae", "unknown_field"),
        ({"accounts": ["0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d70"]}, "/accounts/0", "unknown_account"),
        ({"keywords": ["!"]}, "/keywords/0", "invalid"),
        ({"told_at": "https://contas.aurora.example/"}, "/told_by", "required"),
        ({"remind_after": 0}, "/remind_after", "min_value"),
        ({"keep_days": 7301}, "/keep_days", "max_value"),
    ],
)
def test_mistakes_are_named(owner: Api, given: dict[str, Any], pointer: str, code: str) -> None:
    assert errors_of(owner.post(FLOWS, {"name": "Cadastro"} | given)) == {pointer: code}
    assert not RegistrationFlow.across_organizations.exists()


def test_names_are_taken_once(owner: Api) -> None:
    written(owner)
    answer = owner.post(FLOWS, {"name": "Cadastro"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_flow_is_removed_while_nobody_registered_by_it(owner: Api, aurora: House, account: ChannelAccount) -> None:
    flow = live_flow(aurora, account)
    assert owner.delete(f"{FLOWS}/{flow.id}").status_code == 204
    assert not FlowVersion.across_organizations.exists()


@pytest.mark.django_db(transaction=True)
def test_flow_by_which_people_registered_stays(owner: Api, aurora: House, account: ChannelAccount) -> None:
    flow = live_flow(aurora, account)
    Person(account).says("cadastro")
    answer = owner.delete(f"{FLOWS}/{flow.id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert RegistrationFlow.across_organizations.get().is_live


@pytest.mark.django_db(transaction=True)
def test_flow_by_which_somebody_begins_as_it_is_removed_stays(
    owner: Api, aurora: House, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = live_flow(aurora, account)
    Person(account).writes("cadastro")
    record = flows._record

    def begins() -> None:
        with closing(connection):
            hear()

    def meanwhile(*args: Any, **values: Any) -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(begins).result(20)
        record(*args, **values)

    monkeypatch.setattr(flows, "_record", meanwhile)
    answer = owner.delete(f"{FLOWS}/{flow.id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert Registration.across_organizations.get().flow_id == flow.id


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("agent", 403), ("admin", 201)])
def test_flows_are_seen_by_all_and_written_by_administrators(aurora: House, role: str, status: int) -> None:
    caller = as_member(getattr(aurora, role))
    assert caller.get(FLOWS).status_code == 200
    assert caller.post(FLOWS, {"name": "Cadastro"}).status_code == status
