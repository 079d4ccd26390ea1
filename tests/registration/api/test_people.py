"""People over the API: seen for a reason that is kept, found without being named in a URL, handed over whole."""

import csv
from io import StringIO
from typing import Any

import pytest

from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault import people
from apps.registration.vault.models import Access
from tests.cast import Api, House, as_member
from tests.registration.vault.told import ANA, EMAIL, NAME, PHONE, TAX_ID, WHY, logged, write

pytestmark = pytest.mark.django_db

PEOPLE = "/v1/people"
VALUES = (NAME, EMAIL, PHONE, TAX_ID)


def because(reason: str) -> dict[str, str]:
    return {"Access-Reason": reason}


def search(api: Api, kind: str, value: str, reason: str = "she called") -> Any:
    return api.post(f"{PEOPLE}/search", {"kind": kind, "value": value, "reason": reason})


def test_list_says_nothing_that_they_told(owner: Api, aurora: House) -> None:
    contact_id = new_id()
    first, second = write(aurora), write(aurora, contact_id=contact_id)
    before = logged()
    answer = owner.get(PEOPLE)
    assert [each["id"] for each in answer.json()["data"]] == [str(second), str(first)]
    shown = answer.json()["data"][0]
    assert set(shown) == {"id", "contact_id", "created_at", "changed_at", "keep_until"}
    assert shown["contact_id"] == str(contact_id)
    assert not any(value in answer.content.decode() for value in VALUES)
    assert logged() == before


def test_pages_lead_on_to_the_last(owner: Api, aurora: House) -> None:
    ids = [str(write(aurora)) for _ in range(3)][::-1]
    page = owner.get(f"{PEOPLE}?limit=2").json()
    assert ([each["id"] for each in page["data"]], page["previous"]) == (ids[:2], None)
    last = owner.get(page["next"]).json()
    assert ([each["id"] for each in last["data"]], last["next"]) == (ids[2:], None)
    for wrong, field in (
        ("limit=0", "/limit"),
        ("cursor=x", "/cursor"),
        ("cursor=bgAAAAAAAAAAAAAAAAAAAAA", "/cursor"),
    ):
        answer = owner.get(f"{PEOPLE}?{wrong}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, field)


def test_whole_page_of_the_largest_size_leads_on(
    owner: Api, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.registration.api.pages.OlderPages.max_size", 2)
    monkeypatch.setattr(people, "MOST_AT_ONCE", 2)
    first, *_ = [write(aurora) for _ in range(3)]
    page = owner.get(f"{PEOPLE}?limit=2").json()
    assert [each["id"] for each in owner.get(page["next"]).json()["data"]] == [str(first)]


@pytest.mark.parametrize("headers", [{}, because(""), because("  \x01 ")])
def test_without_a_reason_nothing_is_shown(owner: Api, aurora: House, headers: dict[str, str]) -> None:
    person_id = write(aurora)
    before = logged()
    answer = owner.get(f"{PEOPLE}/{person_id}", **headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "reason_required")
    assert "Access-Reason" in answer.json()["detail"]
    assert not any(value in answer.content.decode() for value in VALUES)
    assert logged() == before


def test_with_a_reason_it_is_shown_and_written_down(owner: Api, aurora: House) -> None:
    person_id = write(aurora)
    # As a server hands on the bytes of a header.
    sent = "confirmação de endereço".encode().decode("latin-1")
    answer = owner.get(f"{PEOPLE}/{person_id}", **because(sent))
    assert answer.status_code == 200
    values = answer.json()["values"]
    assert {name: (each["kind"], each["value"]) for name, each in values.items()} == {
        name: (kind.value, value) for name, (kind, value) in ANA.items()
    }
    entry = Access.across_organizations.latest("id")
    assert (entry.action, entry.actor_label) == ("read", "owner@aurora.example")
    assert entry.reason == "confirmação de endereço"
    assert entry.request_id == answer["X-Request-Id"]


@pytest.mark.parametrize(("kind", "value"), [("tax_id", "529.982.247-25"), ("phone", "(11) 91234-5601")])
def test_people_are_found_by_what_they_told_in_any_form(owner: Api, aurora: House, kind: str, value: str) -> None:
    person_id = write(aurora)
    answer = search(owner, kind, value)
    assert answer.json() == {"ids": [str(person_id)]}
    assert logged()[-1] == ("found", person_id, [kind])


def test_search_that_finds_nobody_is_written_down(owner: Api, aurora: House, boreal: House) -> None:
    write(boreal)
    assert search(owner, "email", EMAIL).json() == {"ids": []}
    assert logged()[-1] == ("found", None, [])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"kind": "name", "value": NAME, "reason": "x"}, "/kind", "invalid_choice"),
        ({"kind": "email", "value": "ana.lima", "reason": "x"}, "/value", "bad_email"),
        ({"kind": "email", "value": EMAIL}, "/reason", "required"),
        ({"kind": "email", "value": EMAIL, "reason": " "}, "/reason", "blank"),
    ],
)
def test_mistakes_are_named_without_the_value(owner: Api, body: dict[str, str], pointer: str, code: str) -> None:
    answer = owner.post(f"{PEOPLE}/search", body)
    assert answer.status_code == 400
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]
    assert body["value"] not in answer.content.decode()
    assert not logged()


def test_value_that_was_looked_for_is_nowhere_in_the_log(
    owner: Api, aurora: House, caplog: pytest.LogCaptureFixture
) -> None:
    person_id = write(aurora)
    search(owner, "email", EMAIL)
    search(owner, "email", "ana@gmial.com")
    owner.get(f"{PEOPLE}/{person_id}", **because("x"))
    owner.post(f"{PEOPLE}/{person_id}/export", {"reason": "x"})
    assert "people/search" in caplog.text
    assert not any(value in caplog.text for value in (*VALUES, "gmial", "gmail"))


def test_access_log_is_read_in_pages(owner: Api, aurora: House) -> None:
    person_id = write(aurora)
    write(aurora)
    owner.get(f"{PEOPLE}/{person_id}", **because("a question of hers"))
    page = owner.get(f"{PEOPLE}/{person_id}/accesses?limit=1").json()
    (read,) = page["data"]
    assert (read["action"], read["reason"]) == ("read", "a question of hers")
    assert read["actor"] == {"kind": "user", "label": "owner@aurora.example"}
    assert read["fields"] == sorted(ANA)
    rest = owner.get(page["next"]).json()
    assert [each["action"] for each in rest["data"]] == ["written"]
    assert rest["next"] is None


def test_access_log_of_somebody_erased_can_be_read(owner: Api, aurora: House) -> None:
    person_id = write(aurora)
    people.erase(aurora.organization, person_id, actor=aurora.principal().actor, reason=WHY)
    assert owner.get(f"{PEOPLE}/{person_id}", **because("x")).status_code == 404
    accesses = owner.get(f"{PEOPLE}/{person_id}/accesses").json()["data"]
    assert [each["action"] for each in accesses] == ["erased", "written"]


def test_export_is_handed_over_whole(owner: Api, aurora: House) -> None:
    person_id = write(aurora)
    answer = owner.post(f"{PEOPLE}/{person_id}/export", {"reason": "she asked for it"})
    document = answer.json()
    assert {each["name"]: each["value"] for each in document["fields"]} == {
        name: value for name, (_, value) in ANA.items()
    }
    assert document["accesses"][0]["reason"] == "she asked for it"
    assert logged()[-1] == ("exported", person_id, sorted(ANA))


def test_export_for_a_spreadsheet_is_a_file(owner: Api, aurora: House) -> None:
    person_id = write(aurora, {"note": (Kind.FREE, "=1+1")})
    answer = owner.post(f"{PEOPLE}/{person_id}/export", {"reason": "x", "format": "csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="person-{person_id}.csv"'
    rows = list(csv.reader(StringIO(answer.content.decode())))
    assert rows[1][:4] == ["field", "note", "free", "'=1+1"]


def test_no_copy_stays_on_the_way(owner: Api, aurora: House) -> None:
    person_id = write(aurora)
    answers = [
        owner.get(PEOPLE),
        owner.get(f"{PEOPLE}/{person_id}", **because("x")),
        owner.get(f"{PEOPLE}/{person_id}"),
        owner.get(f"{PEOPLE}/{person_id}/accesses"),
        search(owner, "email", EMAIL),
        owner.post(f"{PEOPLE}/{person_id}/export", {"reason": "x"}),
        owner.post(f"{PEOPLE}/{person_id}/export", {"reason": "x", "format": "csv"}),
        owner.post(f"{PEOPLE}/{person_id}/erase", {}),
        Api().get(PEOPLE),
    ]
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("agent", 403), ("admin", 200), ("owner", 200)])
def test_only_administrators_see_people(aurora: House, role: str, status: int) -> None:
    person_id = write(aurora)
    caller = as_member(getattr(aurora, role))
    assert caller.get(f"{PEOPLE}/{person_id}", **because("x")).status_code == status
    assert search(caller, "email", EMAIL).status_code == status
    assert caller.post(f"{PEOPLE}/{person_id}/erase", {"reason": "x"}).status_code == status
