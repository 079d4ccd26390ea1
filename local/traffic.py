"""The people of the demo: customers who write, and the bakery that answers them; so there is something to see."""

import itertools
import json
import random
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from local.newcomers import joins
from local.picture import loaf
from local.secrets_file import read_env

PAUSE_SECONDS = 5
PEOPLE = 40
# In rounds.
PICTURE_EVERY = 6
# The one to whom the demo's route takes what comes in on Telegram.
ROUTED_TO = "17840000000900"
QUESTIONS = (
    "Bom dia! Meu pedido já saiu?",
    "Vocês abrem no domingo?",
    "Quero encomendar um bolo para sábado.",
    "Tem pão sem glúten hoje?",
    "Do you deliver to Vila Madalena?",
)
ANSWERS = (
    "Seu pão de fermentação natural sai do forno às 17h.",
    "Pedido confirmado! Entregamos hoje até as 19h.",
    "Obrigado pela visita. Volte sempre!",
    "Your order is ready. See you soon at the bakery.",
    "Lembrete: sua encomenda de bolo é para amanhã.",
)
# Where people write: the connector, its simulator, and how the simulator calls the account.
WRITTEN_ON = (
    ("whatsapp_cloud", "whatsapp", "100200300400500"),
    ("instagram", "instagram", "17841400000000001"),
    ("telegram", "telegram", "700100200"),
    ("evolution", "evolution", "balcao"),
)


_CALLED = {simulator: account for _, simulator, account in WRITTEN_ON}


class Bakery:
    def __init__(self, env_file: Path) -> None:
        self._demo = read_env(env_file)
        # Who wrote in the last round: they are answered in this one.
        self._waiting: dict[str, str] = {}
        self._chance = random.Random()  # noqa: S311 - which words to send is no secret
        # Others than in an earlier run, whose conversations have ended somewhere.
        self._joining = joins(int(time.time()) % 10_000)

    def connect(self) -> None:
        """Providers that can be told are told where to call: the simulators forget it when they stop."""
        for connector in ("telegram", "evolution"):
            self._call("POST", f"/v1/channel-accounts/{self._account(connector)}/connect")

    def round(self, number: int) -> None:
        people = {connector: self._person(connector) for connector, _, _ in WRITTEN_ON}
        shown_on = self._chance.choice(WRITTEN_ON)[0] if number % PICTURE_EVERY == 0 else ""
        for connector, simulator, account in WRITTEN_ON:
            if connector == shown_on:
                said = {"text": "Ficou lindo!", "media": self._hold(loaf(number))}
            else:
                said = {"text": self._chance.choice(QUESTIONS)}
            self._say(simulator, account, people[connector], **said)
        for simulator, person, line in itertools.islice(self._joining, 1):
            self._say(simulator, _CALLED[simulator], person, text=line)
        if number % 12 == 0:
            self._say("instagram", WRITTEN_ON[1][2], ROUTED_TO, text="Pode me avisar por aqui.")
        waiting, self._waiting = self._waiting, people
        wanted = [self._answer(connector, _as_address(connector, person)) for connector, person in waiting.items()]
        wanted += self._news()
        for message in wanted:
            message["reference"] = f"demo-{number}"
        answer = self._call("POST", "/v1/messages/batch", {"messages": wanted})
        print(len(answer["accepted"]), "accepted", json.dumps(answer["refused"][:1]), flush=True)

    def _answer(self, connector: str, to: str) -> dict[str, Any]:
        return {"account_id": self._account(connector), "to": to, "text": self._chance.choice(ANSWERS)}

    def _news(self) -> list[dict[str, Any]]:
        """To people who did not write: only what may be sent to them."""
        number = self._chance.randrange(PEOPLE)
        order = {"name": "Ana", "order": str(self._chance.randrange(1000, 2000))}
        ready = {"template": {"name": "order_ready", "variables": order}}
        phone = f"+55119700000{number:02d}"
        return [
            {"account_id": self._account("whatsapp_cloud"), "to": phone, **ready},
            {"account_id": self._account("sms"), "to": phone, **ready},
            {"account_id": self._account("email"), "to": f"pessoa{number}@example.com", **ready},
            {
                "account_id": self._account("webhook"),
                "to": f"{self._demo['RECADO_SIMULATORS']}/target/pedidos",
                "text": self._chance.choice(ANSWERS),
            },
        ]

    def _person(self, connector: str) -> str:
        number = self._chance.randrange(PEOPLE)
        return f"55119800000{number:02d}" if connector in {"whatsapp_cloud", "evolution"} else f"1784{number:010d}"

    def _account(self, connector: str) -> str:
        return self._demo[f"RECADO_ACCOUNT_{connector.upper()}"]

    def _say(self, simulator: str, account: str, person: str, **said: str) -> None:
        who = {"provider": simulator, "account": account, "from": person, "name": f"Pessoa {person[-2:]}"}
        ask("POST", f"{self._demo['RECADO_SIMULATORS']}/control/say", who | said, {})

    def _hold(self, picture: bytes) -> str:
        """For somebody to send."""
        url = f"{self._demo['RECADO_SIMULATORS']}/control/media?name=pao.png"
        held = ask("POST", url, picture, {"Content-Type": "image/png"})
        return str(held["media"])

    def _call(self, method: str, path: str, body: Any = b"") -> Any:
        headers = {"Authorization": f"Api-Key {self._demo['RECADO_API_KEY']}"}
        return ask(method, self._demo["RECADO_URL"] + path, body, headers)


def _as_address(connector: str, person: str) -> str:
    return f"+{person}" if connector in {"whatsapp_cloud", "evolution"} else person


def ask(method: str, url: str, body: Any, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        url,
        data=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def main(env_file: Path) -> None:
    bakery = Bakery(env_file)
    is_connected = False
    for number in itertools.count():
        try:
            if not is_connected:
                bakery.connect()
                is_connected = True
            bakery.round(number)
        except (urllib.error.URLError, OSError) as problem:
            print(f"not sent: {problem}", flush=True)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
