"""Dates of birth, the day first unless that cannot be."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.registration.kinds import Kind
from tests.registration.validation.examples import value, wrong

TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
MONTHS = [
    "janeiro", "fevereiro", "março", "abril", "maio", "junho",
    "julho", "agosto", "setembro", "outubro", "novembro", "dezembro",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.core.clock.now", lambda: TODAY)


@pytest.mark.parametrize(
    "written",
    [
        "31/12/1990", "31-12-1990", "31.12.1990", "31 12 1990", "31121990", "31-12-90", "31/12/90",
        "31\u201312\u20131990",
        "31 de dezembro de 1990", "31 DE DEZEMBRO DE 1990", "31 dezembro 1990", "31 dez 90", "31/dez/1990",
        "dia 31 de dezembro de 1990", "31 de dez. de 1990", "December 31, 1990", "Dec 31st 1990",
        "31 December 1990",
        "31st of December, 1990", "12/31/1990", "12-31-90", "1990-12-31", "1990/12/31", " 31 / 12 / 1990 ",
    ],
)  # fmt: skip
def test_birth_date_is_read_however_it_is_written(written: str) -> None:
    assert value(Kind.BIRTH_DATE, written) == "1990-12-31"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("01/02/1990", "1990-02-01"),
        ("12/11/1990", "1990-11-12"),
        ("1/2/1990", "1990-02-01"),
        ("1º de março de 1985", "1985-03-01"),
        ("1o de março de 1985", "1985-03-01"),
        ("primeiro de março de 1985", "1985-03-01"),
        ("5 de maio de 05", "2005-05-05"),
        ("22/11/26", "2026-11-22"),
        ("23/11/26", "1926-11-23"),
        ("29/02/2000", "2000-02-29"),
        ("29/02/1996", "1996-02-29"),
        ("29/02/00", "2000-02-29"),
        ("22/11/2026", "2026-11-22"),
        ("01/01/1900", "1900-01-01"),
    ],
)
def test_birth_date_takes_the_day_first_and_the_latest_year(written: str, kept: str) -> None:
    assert value(Kind.BIRTH_DATE, written) == kept


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("29/02/2001", "no_such_day"),
        ("29/02/1900", "no_such_day"),
        ("29/02/01", "no_such_day"),
        ("31/04/1990", "no_such_day"),
        ("32/12/1990", "no_such_day"),
        ("13/13/1990", "no_such_day"),
        ("00/01/1990", "no_such_day"),
        ("31/12/0000", "no_such_day"),
        ("31 de fevereiro de 1990", "no_such_day"),
        ("23/11/2026", "in_future"),
        ("31/12/9999", "in_future"),
        ("31/12/1899", "too_early"),
        ("31/12/0990", "too_early"),
        ("31/12", "bad_date"),
        ("1990", "bad_date"),
        ("31/12/990", "bad_date"),
        ("311290", "bad_date"),
        ("31 de foo de 1990", "bad_date"),
        ("31/12/1990 às 10h", "bad_date"),
        ("R$ 31 12 1990", "bad_date"),
        ("ontem", "bad_date"),
        ("12 1990 31", "bad_date"),
    ],
)
def test_birth_date_that_cannot_be_says_why(written: str, code: str) -> None:
    found = wrong(Kind.BIRTH_DATE, written)
    assert found.code == code
    assert "31/12/1990" in found.detail


@given(st.dates(date(1900, 1, 1), TODAY.date()))
def test_birth_date_is_the_same_in_every_way_of_writing(born: date) -> None:
    day, month, year = born.day, born.month, born.year
    for written in (
        f"{day:02}/{month:02}/{year}",
        f"{day}.{month}.{year}",
        f"{day:02}{month:02}{year}",
        f"{day} de {MONTHS[month - 1]} de {year}",
        f"{MONTHS[month - 1][:3].upper()} {day}, {year}",
        born.isoformat(),
    ):
        assert value(Kind.BIRTH_DATE, written) == born.isoformat()
