"""People who join the club of the demo, on simulated WhatsApp and Telegram at once."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from tests.local.running_demo import Demo

EMAIL = "marina.teles@example.com"
ADDRESS = "Rua das Palmeiras, 120, Centro, São Paulo - SP, 01226-010"
# Each line once all have their answer to the one before. What somebody says at once is asked no more.
LINES = (f"quero me cadastrar no clube, sou a Marina Teles, meu email é {EMAIL}", "sim", "não tenho", ADDRESS,
         "baguete", "sim")  # fmt: skip
TOLD = "registration.completed"
# Where the simulators have people write, and to which account.
WAYS = (("whatsapp", "100200300400500"), ("telegram", "700100200"))


def nothing(_line: str) -> None:
    pass


def join(
    running: Demo,
    key: dict[str, str],
    lines: Sequence[str] = LINES,
    *,
    person: str = "5511990099001",
    before: Callable[[str], None] = nothing,
) -> None:
    """They are in the vault in the end, and the bakery's own API was told."""
    addresses = [f"+{person}", person]
    with httpx.Client(base_url=running.url("RECADO_WEB_PORT", "/v1"), headers=key, trust_env=False) as client:
        told = len(messages(client, TOLD))
        for turns, line in enumerate(lines, start=1):
            before(line)
            for provider, account in WAYS:
                said = {"provider": provider, "account": account, "from": person, "name": "Marina", "text": line}
                httpx.post(running.url("RECADO_SIMULATORS_PORT", "/control/say"), json=said, trust_env=False)
            joined = [heard(client, address, turns) for address in addresses]
        assert [each["state"] for each in joined] == ["completed", "completed"]
        for address in addresses:
            deadline = time.monotonic() + 30
            while (person_id := heard(client, address, len(lines))["person_id"]) is None:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            known = client.get(f"/people/{person_id}", headers={"Access-Reason": "the demo's test"}).json()
            assert EMAIL in json.dumps(known)
        deadline = time.monotonic() + 30
        while len(calls := messages(client, TOLD)) < told + len(WAYS):
            assert time.monotonic() < deadline, calls
            time.sleep(0.2)
        assert {each["status"] for each in calls} <= {"queued", "sending", "sent"}


def heard(client: httpx.Client, address: str, turns: int) -> dict[str, Any]:
    """The registration of whoever is reached there, once so many of their messages were heard."""
    deadline = time.monotonic() + 30
    while True:
        for contact in client.get("/contacts", params={"address": address}).json()["data"]:
            for each in client.get("/registrations").json()["data"]:
                if each["contact_id"] == contact["id"] and each["turns"] >= turns:
                    return dict(each)
        assert time.monotonic() < deadline, (address, turns)
        time.sleep(0.1)


def messages(client: httpx.Client, text: str) -> list[dict[str, Any]]:
    """To the bakery's own API."""
    sent = client.get("/messages", params={"channel": "webhook"}).json()["data"]
    return [each for each in sent if each["text"] == text]
