"""The first two digits say the state."""

import pytest

from apps.billing.dates.area_codes import STATES, state_of

# Those that may be; a third of them nobody has.
CODES = [f"{code:02}" for code in range(100)]


def test_area_codes_are_all_sixty_seven_and_cover_all_states() -> None:
    found = {code: state_of(f"+55{code}987654321") for code in CODES}
    assert len([code for code, state in found.items() if state]) == 67
    assert set(found.values()) - {""} == STATES
    assert len(STATES) == 27


@pytest.mark.parametrize(
    ("phone", "state"),
    [
        ("+5511987654321", "SP"),
        ("+551133334444", "SP"),
        ("+5519987654321", "SP"),
        ("+5521987654321", "RJ"),
        ("+5527987654321", "ES"),
        ("+5538987654321", "MG"),
        ("+5546987654321", "PR"),
        ("+5547987654321", "SC"),
        ("+5555987654321", "RS"),
        ("+5561987654321", "DF"),
        ("+5562987654321", "GO"),
        ("+5563987654321", "TO"),
        ("+5565987654321", "MT"),
        ("+5567987654321", "MS"),
        ("+5568987654321", "AC"),
        ("+5569987654321", "RO"),
        ("+5577987654321", "BA"),
        ("+5579987654321", "SE"),
        ("+5581987654321", "PE"),
        ("+5582987654321", "AL"),
        ("+5583987654321", "PB"),
        ("+5584987654321", "RN"),
        ("+5588987654321", "CE"),
        ("+5589987654321", "PI"),
        ("+5594987654321", "PA"),
        ("+5597987654321", "AM"),
        ("+5595987654321", "RR"),
        ("+5596987654321", "AP"),
        ("+5598987654321", "MA"),
    ],
)
def test_state_is_that_of_the_area_code(phone: str, state: str) -> None:
    assert state_of(phone) == state


@pytest.mark.parametrize(
    "phone",
    [
        "", "+", "+55", "+5511", "11987654321", "5511987654321", "+1 212 555 0123", "+12125550123",
        "+5523987654321", "+558001234567", "+55119876543210", "+551198765", "+55 11 98765-4321",
        "+5511987654321\n", "+55١١987654321", "ana@example.com",
    ],
)  # fmt: skip
def test_state_of_what_is_no_brazilian_number_is_unknown(phone: str) -> None:
    assert state_of(phone) == ""
