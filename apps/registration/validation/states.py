"""The states of Brazil: their names, their capitals, and which postal codes lie in them."""

from bisect import bisect_right
from dataclasses import dataclass

from apps.registration.validation.characters import folded


@dataclass(frozen=True, slots=True)
class State:
    name: str
    capital: str


STATES = {
    "AC": State("Acre", "Rio Branco"),
    "AL": State("Alagoas", "Maceió"),
    "AM": State("Amazonas", "Manaus"),
    "AP": State("Amapá", "Macapá"),
    "BA": State("Bahia", "Salvador"),
    "CE": State("Ceará", "Fortaleza"),
    "DF": State("Distrito Federal", "Brasília"),
    "ES": State("Espírito Santo", "Vitória"),
    "GO": State("Goiás", "Goiânia"),
    "MA": State("Maranhão", "São Luís"),
    "MG": State("Minas Gerais", "Belo Horizonte"),
    "MS": State("Mato Grosso do Sul", "Campo Grande"),
    "MT": State("Mato Grosso", "Cuiabá"),
    "PA": State("Pará", "Belém"),
    "PB": State("Paraíba", "João Pessoa"),
    "PE": State("Pernambuco", "Recife"),
    "PI": State("Piauí", "Teresina"),
    "PR": State("Paraná", "Curitiba"),
    "RJ": State("Rio de Janeiro", "Rio de Janeiro"),
    "RN": State("Rio Grande do Norte", "Natal"),
    "RO": State("Rondônia", "Porto Velho"),
    "RR": State("Roraima", "Boa Vista"),
    "RS": State("Rio Grande do Sul", "Porto Alegre"),
    "SC": State("Santa Catarina", "Florianópolis"),
    "SE": State("Sergipe", "Aracaju"),
    "SP": State("São Paulo", "São Paulo"),
    "TO": State("Tocantins", "Palmas"),
}
BY_NAME = {folded(state.name): letters for letters, state in STATES.items()}
# By the first five digits: from where on a state's codes go; nobody has those before 01000 and of 78900.
_RANGES = (
    (1000, "SP"), (20000, "RJ"), (29000, "ES"), (30000, "MG"), (40000, "BA"), (49000, "SE"), (50000, "PE"),
    (57000, "AL"), (58000, "PB"), (59000, "RN"), (60000, "CE"), (64000, "PI"), (65000, "MA"), (66000, "PA"),
    (68900, "AP"), (69000, "AM"), (69300, "RR"), (69400, "AM"), (69900, "AC"), (70000, "DF"), (72800, "GO"),
    (73000, "DF"), (73700, "GO"), (76800, "RO"), (77000, "TO"), (78000, "MT"), (78900, ""), (79000, "MS"),
    (80000, "PR"), (88000, "SC"), (90000, "RS"),
)  # fmt: skip
_STARTS = [start for start, _state in _RANGES]
# Those of the two cities that are called as their states.
_NAMESAKES = {"SP": (range(1000, 6000), range(8000, 8500)), "RJ": (range(20000, 23800),)}


def state_of(postal_code: str) -> str:
    """Two letters; empty where no such code exists."""
    at = bisect_right(_STARTS, int(postal_code[:5]))
    return _RANGES[at - 1][1] if at else ""


def is_beyond_namesake(postal_code: str) -> bool:
    """Whether it lies in the state of São Paulo or Rio de Janeiro, but not in the city."""
    ranges = _NAMESAKES.get(state_of(postal_code), ())
    return bool(ranges) and not any(int(postal_code[:5]) in each for each in ranges)
