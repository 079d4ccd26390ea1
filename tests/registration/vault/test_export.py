"""What is handed over to somebody who asks what is known of them."""

import csv
import json
from io import StringIO
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.principal import SYSTEM, actor_of
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault import people
from tests.cast import House
from tests.registration.vault.told import ANA, EMAIL, NAME, WHY, logged, read, write

pytestmark = pytest.mark.django_db


def export(house: House, person_id: UUID, reason: str = "the person asked for it") -> dict[str, Any]:
    return people.export(house.organization, person_id, actor=SYSTEM, reason=reason)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text)))


def test_export_says_what_is_known_and_who_had_to_do_with_it(aurora: House, boreal: House) -> None:
    contact_id = new_id()
    person_id = write(aurora, contact_id=contact_id)
    read(aurora, person_id, actor=actor_of(aurora.agent.user), fields=["name"])
    write(aurora)
    write(boreal)
    document = export(aurora, person_id)
    assert (document["person"], document["contact"]) == (str(person_id), str(contact_id))
    assert [(each["name"], each["kind"]) for each in document["fields"]] == [
        ("email", "email"), ("name", "name"), ("phone", "phone"), ("tax_id", "tax_id"),
    ]  # fmt: skip
    assert document["fields"][0]["value"] == EMAIL
    assert [each["action"] for each in document["accesses"]] == ["exported", "read", "written"]
    assert document["accesses"][1]["actor"] == {"kind": "user", "label": "agent@aurora.example"}
    assert document["accesses"][1]["fields"] == ["name"]
    assert document["accesses"][0]["reason"] == "the person asked for it"
    assert document["has_more_accesses"] is False
    assert logged()[-1] == ("exported", person_id, ["email", "name", "phone", "tax_id"])
    json.dumps(document)


def test_export_of_a_long_log_says_that_there_is_more(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_ACCESSES_EXPORTED", 2)
    person_id = write(aurora)
    read(aurora, person_id)
    document = export(aurora, person_id)
    assert [each["action"] for each in document["accesses"]] == ["exported", "read"]
    assert document["has_more_accesses"] is True


def test_export_for_a_spreadsheet_has_a_row_for_each(aurora: House) -> None:
    person_id = write(aurora, {"name": ANA["name"], "note": (Kind.FREE, 'says "oi", often;\nlaughs')})
    header, name, note, *accesses = rows(people.as_csv(export(aurora, person_id)))
    assert header == ["section", "name", "kind", "value", "at", "who", "reason"]
    assert name[:4] == ["field", "name", "name", NAME]
    assert note[3] == 'says "oi", often;\nlaughs'
    assert [(each[1], each[3], each[5], each[6]) for each in accesses] == [
        ("exported", "name, note", "Recado", "the person asked for it"),
        ("written", "name, note", "Recado", WHY),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_spreadsheet_runs_nothing_that_a_person_wrote(aurora: House, start: str) -> None:
    formula = f"{start}HYPERLINK(1)"
    document = export(aurora, write(aurora, {"note": (Kind.FREE, formula)}), reason=f"as told {start}")
    document["accesses"][0]["reason"] = formula
    cells = [cell for row in rows(people.as_csv(document)) for cell in row]
    assert cells.count(f"'{formula}") == 2
    assert not any(cell.startswith(start) for cell in cells)
