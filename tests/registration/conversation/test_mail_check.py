"""Name servers are asked whether a domain takes mail while nobody waits for a lock, and only for so long."""

from typing import Any

import dns.exception
import pytest
from django.db import connection
from pytest_django import Settings

from apps.registration.conversation import mail_check
from apps.registration.conversation.heard import Heard
from apps.registration.kinds import Kind
from apps.registration.validation import mail_domains
from tests.cast import House
from tests.registration.talks import Person, counter, live_flow


@pytest.fixture(autouse=True)
def _checks(settings: Settings) -> None:
    settings.REGISTRATION_CHECKS_MAIL_DOMAINS = True


@pytest.mark.django_db(transaction=True)
def test_name_servers_are_not_asked_while_rows_are_locked(
    aurora: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REGISTRATION_CHECKS_MAIL_DOMAINS = True
    asked: list[bool] = []

    def resolve(*_: Any, **__: Any) -> Any:
        asked.append(connection.in_atomic_block)
        raise dns.exception.Timeout  # after three seconds each

    monkeypatch.setattr("dns.resolver.resolve", resolve)
    account = counter(aurora)
    live_flow(aurora, account)
    ana = Person(account)
    ana.says("cadastro", "sim", "Ana Lima")
    asked.clear()
    ana.says(" ".join(f"a@x{n}.slow{n}.example.org" for n in range(30)))
    assert (len(asked), any(asked)) == (1, False)


def test_address_at_a_domain_that_takes_no_mail_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_domains, "may_take_mail", lambda domain: domain != "dead.example")
    heard = {
        n: (Heard(values=((Kind.NAME, "Ana"), (Kind.EMAIL, address))), "pt-BR")
        for n, address in enumerate(["ana@dead.example", "ana@alive.example"])
    }
    judged = mail_check.without_dead_domains(heard)
    assert judged[0].values == ((Kind.NAME, "Ana"),)
    (mistake,) = judged[0].mistakes
    assert (mistake.kind, mistake.code) == (Kind.EMAIL, "no_such_domain")
    assert "dead.example" in mistake.detail
    assert judged[1] == heard[1][0]


def test_nobody_is_asked_where_nobody_wants_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REGISTRATION_CHECKS_MAIL_DOMAINS = False
    monkeypatch.setattr(mail_domains, "may_take_mail", lambda _domain: False)
    heard = Heard(values=((Kind.EMAIL, "ana@dead.example"),))
    assert mail_check.without_dead_domains({1: (heard, "en")}) == {1: heard}


def test_each_domain_is_asked_once_and_none_after_the_time_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    now = 0.0

    def slow(domain: str) -> bool:
        nonlocal now
        asked.append(domain)
        now += mail_check.SECONDS / 2
        return False

    monkeypatch.setattr(mail_domains, "may_take_mail", slow)
    monkeypatch.setattr("time.monotonic", lambda: now)
    domains = ["a.example", "a.example", "b.example", "c.example"]
    heard = {n: (Heard(values=((Kind.EMAIL, f"x@{domain}"),)), "en") for n, domain in enumerate(domains)}
    judged = mail_check.without_dead_domains(heard)
    assert asked == ["a.example", "b.example"]
    assert [bool(each.mistakes) for each in judged.values()] == [True, True, True, False]
