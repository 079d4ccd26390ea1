"""The table of the demonstration, and who is asked at all."""

from itertools import pairwise
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.registration.validation.postal_codes import LOCAL_TABLE, LocalTable, Place, postal_codes
from apps.registration.validation.states import STATES, state_of

TABLE = """first,last,street,district,city,state
20040000,20040999,Rua do Mercador,Centro,Rio de Janeiro,RJ
13010000,13010099,"Rua da Estação, Velha",Centro,Campinas,SP
"""


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    path = tmp_path / "postal_codes.csv"
    path.write_text(TABLE, encoding="utf-8")
    return LocalTable(path)


@pytest.mark.parametrize("postal_code", ["13010000", "13010050", "13010099"])
def test_postal_code_within_a_range_is_found(table: LocalTable, postal_code: str) -> None:
    assert table.find(postal_code) == Place("Rua da Estação, Velha", "Centro", "Campinas", "SP")


@pytest.mark.parametrize("postal_code", ["00000000", "13009999", "13010100", "20041000", "99999999"])
def test_postal_code_outside_all_ranges_is_unknown(table: LocalTable, postal_code: str) -> None:
    assert table.find(postal_code) is None


def test_postal_codes_are_looked_up_only_where_settings_ask(settings: Settings) -> None:
    settings.REGISTRATION_POSTAL_CODES = ""
    assert postal_codes() is None
    settings.REGISTRATION_POSTAL_CODES = "local"
    found = postal_codes()
    assert found is not None
    assert found.find("22070001") == Place("Avenida das Gaivotas", "Copacabana", "Rio de Janeiro", "RJ")


def test_postal_codes_of_the_demonstration_lie_in_their_states() -> None:
    rows = [row.split(",") for row in LOCAL_TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) >= 15
    for first, last, *_names, state in rows:
        assert state in STATES
        assert state_of(first) == state_of(last) == state
        assert first <= last
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert all(last[1] < later[0] for last, later in pairwise(rows))
