"""The simulated providers: what goes wrong with them, and what they received."""

from dataclasses import dataclass
from typing import Any

import httpx
import orjson


@dataclass(frozen=True, slots=True)
class Received:
    """What a person got."""

    account: str
    to: str
    text: str


class Providers:
    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def go_wrong(self, *faults: dict[str, Any]) -> None:
        self._call("PUT", "/control/faults", faults)

    def go_well(self) -> None:
        self._call("DELETE", "/control/faults")

    def delay(self, **seconds: float) -> None:
        """How long they take, as /control/delays names it."""
        self._call("PUT", "/control/delays", seconds)

    def tally(self) -> dict[str, Any]:
        """Of all scenarios together."""
        tally: dict[str, Any] = orjson.loads(self._call("GET", "/control/tally"))
        return tally

    def count_received(self) -> int:
        return int(self.tally()["accepted"])

    def callbacks_pending(self) -> int:
        return int(self.tally()["callbacks"]["pending"])

    def received(self) -> list[Received]:
        """Everything, in the order in which it came."""
        entries = map(orjson.loads, self._call("GET", "/control/received").splitlines())
        return [Received(entry["account"], entry["to"], entry["text"]) for entry in entries]

    def say(self, account: str, person: str, text: str) -> None:
        """A person writes to an account of the simulated WhatsApp."""
        said = {"provider": "whatsapp", "account": account, "from": person, "text": text}
        self._call("POST", "/control/say", said)

    def close(self) -> None:
        self._client.close()

    def _call(self, method: str, path: str, document: Any = None) -> bytes:
        answer = self._client.request(method, path, content=None if document is None else orjson.dumps(document))
        answer.raise_for_status()
        return answer.content
