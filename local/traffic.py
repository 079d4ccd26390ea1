"""The demo's own customer: sends a few messages every few seconds, so that there is something to look at."""

import itertools
import json
import random
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from local.secrets_file import read_env

PAUSE_SECONDS = 5
WORDS = (
    "Seu pão de fermentação natural sai do forno às 17h.",
    "Pedido confirmado! Entregamos hoje até as 19h.",
    "Obrigado pela visita. Volte sempre!",
    "Your order is ready. See you soon at the bakery.",
    "Lembrete: sua encomenda de bolo é para amanhã.",
)


def main(env_file: Path) -> None:
    demo = read_env(env_file)
    chance = random.Random()  # noqa: S311 - which words to send is no secret
    for round_number in itertools.count():
        try:
            send(demo, round_number, chance)
        except (urllib.error.URLError, OSError) as problem:
            print(f"not sent: {problem}", flush=True)
        time.sleep(PAUSE_SECONDS)


def send(demo: dict[str, str], round_number: int, chance: random.Random) -> None:
    people = [f"+55119{chance.randrange(8000_0000, 8000_0040):08d}" for _ in range(3)]
    wanted: list[dict[str, Any]] = [
        {
            "account_id": demo["RECADO_ACCOUNT_WHATSAPP_CLOUD"],
            "to": person,
            "text": chance.choice(WORDS),
            "reference": f"demo-{round_number}",
        }
        for person in people
    ]
    wanted.append(
        {
            "account_id": demo["RECADO_ACCOUNT_INSTAGRAM"],
            "to": f"1784{chance.randrange(40):013d}",
            "text": chance.choice(WORDS),
            "reference": f"demo-{round_number}",
        }
    )
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{demo['RECADO_URL']}/v1/messages/batch",
        data=json.dumps({"messages": wanted}).encode(),
        headers={"Authorization": f"Api-Key {demo['RECADO_API_KEY']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        print(answer.status, len(json.load(answer)["accepted"]), "accepted", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
