"""E-mail addresses: as people write them, and what they meant."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.channels import addresses
from apps.channels.capabilities import AddressKind
from apps.registration.kinds import Kind
from apps.registration.validation.checking import Checked, check
from tests.registration.validation.examples import value, wrong


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("maria@gmail.com", "maria@gmail.com"),
        ("Maria.Silva@GMAIL.COM", "Maria.Silva@gmail.com"),
        (" <maria@padaria.com.br>. ", "maria@padaria.com.br"),
        ("maria @ padaria.com.br", "maria@padaria.com.br"),
        ("mailto:maria+notas@padaria.com.br", "maria+notas@padaria.com.br"),
        ("maria\u200b@gmail.com", "maria@gmail.com"),
        ("maria@açaí.com.br", "maria@xn--aa-4iaz.com.br"),
    ],
)
def test_email_is_kept_as_mail_is_sent_to_it(written: str, kept: str) -> None:
    assert value(Kind.EMAIL, written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "maria",
        "maria@",
        "@gmail.com",
        "maria@gmail",
        "maria silva@gmail.com",
        "maria@gmail..com",
        "maria..silva@gmail.com",
        "maria@-gmail.com",
        "maria@[127.0.0.1]",
        "maria@127.0.0.1",
        '"maria silva"@gmail.com',
        "Maria <maria@gmail.com>",
        "maria@gmail.com, jose@gmail.com",
        "joão@gmail.com",
        "maria@localhost",
        "maria@padaria.c",
        "maria@gmail.com\nBcc: all@gmail.com",
        f"{'m' * 65}@gmail.com",
        "não tenho e-mail",
    ],
)
def test_email_that_can_be_none_is_refused(written: str) -> None:
    assert wrong(Kind.EMAIL, written).code == "bad_email"


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.com.br", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("hotmal.com", "hotmail.com"),
        ("hotmial.com.br", "hotmail.com.br"),
        ("hotmail.combr", "hotmail.com.br"),
        ("outlok.com", "outlook.com"),
        ("yaho.com.br", "yahoo.com.br"),
        ("yahoo.con.br", "yahoo.com.br"),
        ("iclod.com", "icloud.com"),
        ("padaria.con.br", "padaria.com.br"),
        ("padaria.vom", "padaria.com"),
    ],
)
def test_email_with_a_slip_in_its_domain_is_answered_with_what_was_meant(domain: str, meant: str) -> None:
    found = wrong(Kind.EMAIL, f"Maria@{domain}")
    assert found.code == "typo"
    assert meant in found.detail
    assert "Maria" not in found.detail, "what we answer is not redacted"


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com", "ymail.com", "email.com", "mail.com", "hotmail.co.uk", "hotmail.fr", "yahoo.com.ar",
        "yahoo.es",
        "outlook.pt", "protonmail.ch", "uol.com.br", "bol.com.br", "vol.com.br", "terra.com.br", "live.com",
        "me.com",
        "gmail.padaria.com.br", "padaria.co", "usp.br", "comercio.com.br", "falcon.com.br",
    ],
)  # fmt: skip
def test_email_of_a_domain_that_may_well_be_is_taken(domain: str) -> None:
    assert value(Kind.EMAIL, f"maria@{domain}") == f"maria@{domain}"


NAMES = st.text(string.ascii_letters + string.digits + "._+-", min_size=1, max_size=64)
DOMAINS = st.lists(
    st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=63), min_size=1, max_size=4
)


@settings(deadline=None, max_examples=200)
@given(NAMES, DOMAINS, st.sampled_from(["com", "COM.BR", "org", "x", "1"]))
def test_email_that_is_taken_stays_and_can_be_written_to(name: str, domain: list[str], ending: str) -> None:
    found = check(Kind.EMAIL, f"{name}@{'.'.join([*domain, ending])}")
    if isinstance(found, Checked):
        assert check(Kind.EMAIL, found.value) == found
        assert addresses.is_possible(AddressKind.EMAIL, found.value)
        assert found.value.partition("@")[2] == found.value.partition("@")[2].lower()


@settings(deadline=None)
@given(st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,20}([._+-][a-zA-Z0-9]{1,20})?", fullmatch=True))
def test_email_of_an_ordinary_name_is_taken(name: str) -> None:
    kept = value(Kind.EMAIL, f"{name}@Padaria.com.br")
    assert kept.lower() == f"{name}@padaria.com.br".lower()
