"""Postal addresses in one breath: taken apart, completed, and asked for what they lack."""

import json

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from apps.registration.kinds import Kind
from apps.registration.validation.checking import Checked, check
from apps.registration.validation.showing import shown
from tests.registration.validation.examples import value, wrong

PARTS = ("street", "number", "complement", "district", "city", "state", "postal_code")


def parts(text: str) -> tuple[str, ...]:
    address = json.loads(value(Kind.POSTAL_ADDRESS, text))
    return tuple(address[part] for part in PARTS)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            "Rua das Flores, 123, apto 45, Centro, Campinas - SP, 13010-100",
            ("Rua das Flores", "123", "apto 45", "Centro", "Campinas", "SP", "13010100"),
        ),
        (
            "Av. Paulista, 1578, Bela Vista, São Paulo/SP, CEP 01310-200",
            ("Av. Paulista", "1578", "", "Bela Vista", "São Paulo", "SP", "01310200"),
        ),
        (
            "av paulista 1578 bela vista são paulo sp 01310200",
            ("Av Paulista", "1578", "", "Bela Vista", "São Paulo", "SP", "01310200"),
        ),
        (
            "01310-200, Avenida Paulista nº 1.578 conj 12, Bela Vista, São Paulo, SP, Brasil",
            ("Avenida Paulista", "1578", "conj 12", "Bela Vista", "São Paulo", "SP", "01310200"),
        ),
        (
            "RUA 25 DE MARÇO 1021, CENTRO, SÃO PAULO, SP, 01.021-100",
            ("Rua 25 de Março", "1021", "", "Centro", "São Paulo", "SP", "01021100"),
        ),
        (
            "Rua 25, nº 100\nbairro Jardim América\nGoiânia-GO\nCEP: 74000-000",
            ("Rua 25", "100", "", "Jardim América", "Goiânia", "GO", "74000000"),
        ),
        (
            "Praça da Sé, 1 - Sé - São Paulo - SP - 01001-000",
            ("Praça da Sé", "1", "", "Sé", "São Paulo", "SP", "01001000"),
        ),
        (
            "Rua Sete de Setembro, 234-A – fundos – Centro – Blumenau/SC – 89010-200",
            ("Rua Sete de Setembro", "234-A", "fundos", "Centro", "Blumenau", "SC", "89010200"),
        ),
        (
            "Rua A, s/n, Ouro Preto, MG, 35400-000",
            ("Rua A", "S/N", "", "", "Ouro Preto", "MG", "35400000"),
        ),
        (
            "Estrada do Coco, sem número, casa 3, Lauro de Freitas BA 42700-000",
            ("Estrada do Coco", "S/N", "casa 3", "", "Lauro de Freitas", "BA", "42700000"),
        ),
        (
            "Rodovia BR 116 km 32, Bairro Alto, Curitiba PR 82590-000",
            ("Rodovia BR 116", "km 32", "", "Alto", "Curitiba", "PR", "82590000"),
        ),
        (
            "Rua Dom Pedro 2, 55, casa 3, Vila Nova, Porto Alegre, Rio Grande do Sul, 90010-000, Brasil",
            ("Rua Dom Pedro 2", "55", "casa 3", "Vila Nova", "Porto Alegre", "RS", "90010000"),
        ),
        (
            "Rua do Sol, 10, Campinas, São Paulo, 13010-100",
            ("Rua do Sol", "10", "", "", "Campinas", "SP", "13010100"),
        ),
        (
            "Rua do Sol, 10, Moema, São Paulo, 04538-100",
            ("Rua do Sol", "10", "", "Moema", "São Paulo", "SP", "04538100"),
        ),
        (
            "Rua do Sol, 10, Rio de Janeiro, Rio de Janeiro, 20040-000",
            ("Rua do Sol", "10", "", "", "Rio de Janeiro", "RJ", "20040000"),
        ),
        (
            "Moro na Rua das Acácias, 77 ap. 12 bloco B, Jardim das Rosas, Recife/PE 50030-230",
            ("Rua das Acácias", "77", "ap. 12, bloco B", "Jardim das Rosas", "Recife", "PE", "50030230"),
        ),
        (
            "rua: das Flores, número: 12, bairro: Centro, cidade: Belém, estado: PA, cep: 66010-000",
            ("Rua das Flores", "12", "", "Centro", "Belém", "PA", "66010000"),
        ),
        (
            "SQN 310 Bloco A apto 101, Asa Norte, Brasília DF 70756-010",
            ("SQN 310", "S/N", "Bloco A, apto 101", "Asa Norte", "Brasília", "DF", "70756010"),
        ),
        (
            "Rua 12, Quadra 5, Lote 3, Setor Oeste, Goiânia, GO, 74110-060",
            ("Rua 12", "S/N", "Quadra 5, Lote 3", "Setor Oeste", "Goiânia", "GO", "74110060"),
        ),
        (
            "Paulista, 1578, Bela Vista, São Paulo, SP, 01310-200",
            ("Paulista", "1578", "", "Bela Vista", "São Paulo", "SP", "01310200"),
        ),
        (
            "25 de Março, 100, 25 de Agosto, Poá, SP, 08550-000",
            ("25 de Março", "100", "", "25 de Agosto", "Poá", "SP", "08550000"),
        ),
        (
            "Rua da Casa Verde 10, Setor Sul, Goiânia, GO, 74080-000",
            ("Rua da Casa Verde", "10", "", "Setor Sul", "Goiânia", "GO", "74080000"),
        ),
        (
            "Rua da Torre 10 casa 2, Goiânia, GO, 74080-000",
            ("Rua da Torre", "10", "casa 2", "", "Goiânia", "GO", "74080000"),
        ),
        (
            "Conceição, 10, Parque Industrial, Campinas, SP, 13010-100",
            ("Conceição", "10", "", "Parque Industrial", "Campinas", "SP", "13010100"),
        ),
        (
            "Rua E, 7, Parque Verde, Belém, Pará, 66010-000",
            ("Rua E", "7", "", "Parque Verde", "Belém", "PA", "66010000"),
        ),
        # The state is known by the postal code.
        (
            "Rua das Flores, 123, Centro, Campinas, 13010-100",
            ("Rua das Flores", "123", "", "Centro", "Campinas", "SP", "13010100"),
        ),
    ],
)
def test_address_is_taken_apart(written: str, read: tuple[str, ...]) -> None:
    assert parts(written) == read


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        ("Rua das Flores, 123, Centro, Campinas - SP", ["postal code"]),
        ("Rua das Flores, Centro, Campinas - SP, 13010-100", ["number"]),
        ("Campinas - SP, 13010-100", ["street", "number"]),
        ("Rua das Flores, 123, Centro, 13010-100", ["city"]),
        ("13010-100", ["street", "number", "city"]),
        ("13010-100, 55", ["street", "city"]),
        ("Rua das Flores, 123, Campinas", ["postal code", "state"]),
        ("{}", ["postal code", "street", "number", "city", "state"]),
        ('{"street": null}', ["postal code", "street", "number", "state"]),
    ],
)
def test_address_says_what_it_lacks(written: str, missing: list[str]) -> None:
    found = wrong(Kind.POSTAL_ADDRESS, written)
    assert found.code == "incomplete"
    assert f": {', '.join(missing)}." in found.detail


def test_address_that_lacks_its_state_says_so_in_portuguese() -> None:
    """Not by the word for how far a registration has come, which is the same in English alone."""
    with translation.override("pt-br"):
        assert ": CEP, estado." in wrong(Kind.POSTAL_ADDRESS, "Rua Augusta 1200, Consolação, São Paulo").detail


def test_address_is_never_asked_for_a_state_that_its_postal_code_tells() -> None:
    assert "state" not in wrong(Kind.POSTAL_ADDRESS, "Rua das Flores, 01305-100").detail
    assert parts("Rua Augusta 1200, Consolação, São Paulo, 01305-100")[5] == "SP"


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("Campinas - SP, 00999-000", "bad_postal_code"),
        ("Porto Velho - RO, 78900-000", "bad_postal_code"),
        ("Campinas - SP, CEP 1301-100", "bad_postal_code"),
        ("Campinas - SP, CEP 130101000", "bad_postal_code"),
        ("Campinas - RJ, 13010-100", "wrong_state"),
        ("Goiânia - DF, 72800-000", "wrong_state"),
        ("Campinas - SP, 13010-100 \x1b[31m", "bad_characters"),
        (f"{'A' * 130}, Campinas - SP, 13010-100", "too_long"),
    ],
)
def test_address_that_cannot_be_is_refused(end: str, code: str) -> None:
    assert wrong(Kind.POSTAL_ADDRESS, f"Rua das Flores, 123, {end}").code == code


def test_address_contradicted_by_its_postal_code_names_both_states() -> None:
    detail = wrong(Kind.POSTAL_ADDRESS, "Rua A, 1, Niterói - SP, 24000-000").detail
    assert "RJ" in detail
    assert "SP" in detail


@pytest.mark.parametrize(
    ("postal_code", "state"),
    [
        ("01000000", "SP"), ("19999999", "SP"), ("20000000", "RJ"), ("28999000", "RJ"), ("29000000", "ES"),
        ("39999000", "MG"), ("48999000", "BA"), ("49000000", "SE"), ("56999000", "PE"), ("57000000", "AL"),
        ("58000000", "PB"), ("59000000", "RN"), ("63999000", "CE"), ("64000000", "PI"), ("65000000", "MA"),
        ("68899000", "PA"), ("68900000", "AP"), ("69299000", "AM"), ("69300000", "RR"), ("69400000", "AM"),
        ("69900000", "AC"), ("72799000", "DF"), ("72800000", "GO"), ("73000000", "DF"), ("73699000", "DF"),
        ("73700000", "GO"), ("76800000", "RO"), ("77000000", "TO"), ("78899000", "MT"), ("79000000", "MS"),
        ("87999000", "PR"), ("88000000", "SC"), ("99999999", "RS"),
    ],
)  # fmt: skip
def test_address_has_the_state_of_its_postal_code(postal_code: str, state: str) -> None:
    assert parts(f"Rua A, 1, Uma Cidade, {postal_code}")[5] == state


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("13010-100, 55", ("Rua da Estação Velha", "55", "", "Centro", "Campinas", "SP", "13010100")),
        ("número 55, cep 13010100", ("Rua da Estação Velha", "55", "", "Centro", "Campinas", "SP", "13010100")),
        (
            "13010-100 nº 55 apto 3",
            ("Rua da Estação Velha", "55", "apto 3", "Centro", "Campinas", "SP", "13010100"),
        ),
        ("casa 3, 13010-100, 5", ("Rua da Estação Velha", "5", "casa 3", "Centro", "Campinas", "SP", "13010100")),
        ("Rua B, 10, campinas, 13010-100", ("Rua B", "10", "", "Centro", "Campinas", "SP", "13010100")),
        ("Rua B, 10, bela vista, 01310-100", ("Rua B", "10", "", "Bela Vista", "São Paulo", "SP", "01310100")),
        ("Rua B 10 Cambuí Campinas SP 13010-100", ("Rua B", "10", "", "Cambuí", "Campinas", "SP", "13010100")),
        ("Rua B, 10, 35400-000", ("Rua B", "10", "", "", "Ouro Preto", "MG", "35400000")),
        ("Rua B, 10, Nova, Poá, 13099-000", ("Rua B", "10", "", "Nova", "Poá", "SP", "13099000")),
    ],
)
def test_address_is_completed_by_its_postal_code(settings: Settings, written: str, read: tuple[str, ...]) -> None:
    settings.REGISTRATION_POSTAL_CODES = "local"
    assert parts(written) == read


def test_address_completed_still_needs_a_number_and_the_right_state(settings: Settings) -> None:
    settings.REGISTRATION_POSTAL_CODES = "local"
    assert "number" in wrong(Kind.POSTAL_ADDRESS, "13010-100").detail
    assert wrong(Kind.POSTAL_ADDRESS, "13010-100, 55, Campinas - MG").code == "wrong_state"


def test_address_is_kept_with_sorted_keys_and_its_own_letters() -> None:
    kept = value(Kind.POSTAL_ADDRESS, "Praça da Sé, 1, Sé, São Paulo - SP, 01001-000")
    assert kept.index('"city"') < kept.index('"complement"') < kept.index('"district"') < kept.index('"street"')
    assert "Praça da Sé" in kept


WORDS = st.sampled_from(["Flores", "Água", "Santos", "Dumont", "Ipê", "Sol", "Nova", "Silva", "Otoni"])
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@settings(deadline=None)
@given(
    st.sampled_from(["Rua", "Avenida", "Travessa", "Praça"]),
    NAMES,
    st.integers(1, 99999).map(str) | st.just("S/N"),
    st.sampled_from(["", "apto 12", "Bloco C", "casa 2, fundos"]),
    NAMES,
    NAMES,
    st.sampled_from([("SP", "13010100"), ("BA", "40020001"), ("PR", "80020999"), ("DF", "70070000")]),
)
def test_address_as_it_is_shown_is_read_as_it_is_kept(
    kind: str, name: str, number: str, complement: str, district: str, city: str, place: tuple[str, str]
) -> None:
    state, postal_code = place
    unit = f"{complement}, " if complement else ""
    code = f"{postal_code[:5]}-{postal_code[5:]}"
    written = f"{kind} {name}, {number}, {unit}{district}, {city} - {state}, {code}"
    kept = value(Kind.POSTAL_ADDRESS, written)
    assert parts(written) == (f"{kind} {name}", number, complement, district, city, state, postal_code)
    assert value(Kind.POSTAL_ADDRESS, kept) == kept
    assert value(Kind.POSTAL_ADDRESS, shown(Kind.POSTAL_ADDRESS, kept)) == kept


WRITTEN = st.sampled_from([
    "Rua", "25", "de", "Março", "nº", "12", "s/n", "apto", "Casa", "Bloco", "SP", "13010-100", "CEP", "Centro",
    "Pará", "Bairro", "cidade:", ",", "-", "/", "(", "\n", "São Paulo", "Brasil", "É", "y", "{", "km",
])  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(WRITTEN, max_size=20).map(lambda words: f"Rua A, 1, Poá, 08550-000 {' '.join(words)}"))
def test_address_that_was_kept_is_taken_again(written: str) -> None:
    found = check(Kind.POSTAL_ADDRESS, written)
    if isinstance(found, Checked):
        assert check(Kind.POSTAL_ADDRESS, found.value) == found
