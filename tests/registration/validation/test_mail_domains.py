"""Whether a domain takes mail is asked of a real name server on loopback."""

import socket
import threading
import time
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from apps.registration.validation import mail_domains

RECORDS = {
    ("padaria.com.br.", "MX"): "10 mail.padaria.com.br.",
    ("web.com.br.", "A"): "192.0.2.1",
    ("six.com.br.", "AAAA"): "2001:db8::1",
    ("null.com.br.", "MX"): "0 .",
    ("null.com.br.", "A"): "192.0.2.1",
}
KNOWN = {name for name, _record in RECORDS} | {"empty.com.br."}
BROKEN, SILENT = "broken.com.br.", "silent.com.br."


class NameServer(threading.Thread):
    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.asked: list[str] = []

    def run(self) -> None:
        while True:
            question, client = self.socket.recvfrom(4096)
            if not question:
                return
            answer = self.answer(dns.message.from_wire(question))
            if answer is not None:
                self.socket.sendto(answer.to_wire(), client)

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        name, record = str(query.question[0].name), dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append(f"{name} {record}")
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name == SILENT:
            return None
        if name == BROKEN:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in KNOWN:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif found := RECORDS.get((name, record)):
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", record, found))
        return answer

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self.join(5)
        self.socket.close()


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    server.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    monkeypatch.setattr("dns.resolver.default_resolver", resolver)
    yield server
    server.stop()


@pytest.mark.parametrize("domain", ["padaria.com.br", "web.com.br", "six.com.br"])
def test_mail_domain_with_somewhere_to_bring_mail_is_taken(name_server: NameServer, domain: str) -> None:
    assert mail_domains.may_take_mail(domain)


@pytest.mark.parametrize("domain", ["nowhere.com.br", "empty.com.br", "null.com.br"])
def test_mail_domain_that_takes_none_is_refused(name_server: NameServer, domain: str) -> None:
    assert not mail_domains.may_take_mail(domain)


def test_mail_domain_of_a_broken_name_server_is_nobodys_mistake(name_server: NameServer) -> None:
    assert mail_domains.may_take_mail("broken.com.br")


def test_mail_domain_is_not_waited_for_long(name_server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_domains, "SECONDS", 0.3)
    began = time.monotonic()
    assert mail_domains.may_take_mail("silent.com.br")
    assert time.monotonic() - began < 5
    assert name_server.asked
