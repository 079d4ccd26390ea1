from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.redaction import HIDDEN, MAX_TEXT, redact, redact_text
from tests.timing import quickest

API_KEY = "rk_abcdefghijkm_Zm9vYmFyYmF6cXV4cXV1eA"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /ws/status?access_token={JWT}",
        f"GET /ws/status?x=1&ticket={API_KEY}&y=2",
        f"Authorization: Bearer {JWT}",
        f"authorization: api-key {API_KEY}",
        "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        f"the key {API_KEY} was refused",
        f'{{"password": "{API_KEY}"}}',
        f"{{'secret': '{JWT}'}}",
        f"POST https://api.telegram.org/bot123456:{API_KEY}/sendMessage",
        f"redis://:{API_KEY}@127.0.0.1:6379/0",
        f"postgres://recado:{JWT}@db/recado",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_secret_is_cut_out_of_a_sentence(text: str) -> None:
    shown = redact_text(text)
    assert HIDDEN in shown
    assert API_KEY not in shown
    assert JWT not in shown
    assert "dXNlcjpwYXNzd29yZA" not in shown
    assert "MfKQ9r8" not in shown


@pytest.mark.parametrize(
    "name",
    ["password", "Authorization", "api_key", "apiKey", "client_secret", "access_token", "body", "text", "cpf",
     "credentials", "Set-Cookie", "X-Twilio-Signature", "otp"],
)  # fmt: skip
def test_value_under_a_telling_name_is_hidden(name: str) -> None:
    assert redact({name: "Oi, Maria"}) == {name: HIDDEN}


@given(st.recursive(st.just(API_KEY), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_secret_is_hidden_however_deep_it_lies(value: object) -> None:
    assert API_KEY not in str(redact(value))


def test_harmless_values_stay_readable() -> None:
    event = {"code": 404, "request": "GET /v1/messages?limit=5", "count": 3, "at": None, "ok": True}
    assert redact(event) == event


def test_endless_text_is_cut() -> None:
    assert len(redact_text("x" * 1_000_000)) < MAX_TEXT + 50


@pytest.mark.parametrize(
    "hostile", ["a." * 4_000, "eyJ-" * 2_000, "eyJa." * 1_600, "a://" * 2_000, "token=" * 1_300]
)
def test_hostile_text_is_read_in_no_time(hostile: str) -> None:
    assert quickest(partial(redact_text, hostile)) < 0.05


def test_link_that_sets_a_password_is_hidden() -> None:
    assert "1-abc" not in redact_text("GET /accounts/password/reset/key/1-abc-def/ HTTP/1.1")


def test_link_by_which_a_person_is_known_is_hidden() -> None:
    token = (
        "WyIwMWEyMDA2NDJkZDI3ZDg2ODI5MGY0NDExMWM0N2RmZCIsIiJd:1xUuIJ:5G9o9dGxzO6CKADDiBteP1it2GXb_WAF16XyWUYWx7I"
    )
    for path in (token, f"{token}/unsubscribe", token.replace(":", "%3A")):
        shown = redact_text(f"GET /p/{path}?lang=en")
        assert shown.startswith(f"GET /p/{HIDDEN}")
        assert shown.endswith("?lang=en")
        assert "5G9o9" not in shown


def test_bytes_are_counted_not_shown() -> None:
    assert redact({"payload": b"segredo"}) == {"payload": "[7 bytes]"}
