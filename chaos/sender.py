"""An application that sends batches over the API, each under its Idempotency-Key until it is answered 202."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from secrets import token_hex
from statistics import quantiles

import httpx

from chaos.verdict import Accepted

# What a careful client sends again: it is busy, it is away, or the first try is still at work.
_AGAIN = frozenset({409, 429, 502, 503, 504})
_AGAIN_AFTER_SECONDS = 0.2
_GIVE_UP_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    connector: str
    # What the provider calls it.
    name: str

    def address(self, person: int) -> str:
        return f"+55119{10_000_000 + person}" if self.connector == "whatsapp_cloud" else f"6{10_000_000 + person}"


@dataclass
class Sender:
    """Sends in a thread of its own. Several messages to each person, two of them in a row."""

    client: httpx.Client
    account: Account
    count: int
    people: int
    # None is as fast as it is accepted.
    per_second: float | None = None
    at_once: int = 50
    accepted: list[Accepted] = field(default_factory=list, init=False)
    answers: Counter[str] = field(default_factory=Counter, init=False)
    # Of every try, with an answer or without.
    seconds: list[float] = field(default_factory=list, init=False)
    refused: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._is_stopped = threading.Event()
        self._offered = 0
        self._thread = threading.Thread(target=self._run, name=f"sender of {self.account.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Whatever was not sent stays unsent."""
        self._is_stopped.set()
        self._thread.join()

    def enough(self) -> None:
        """What was not sent was never to be."""
        self.stop()
        self.count = self._offered

    def wait(self, seconds: float) -> None:
        self._thread.join(seconds)
        self.stop()

    @property
    def is_at_work(self) -> bool:
        return self._thread.is_alive()

    @property
    def slowest_of_a_hundred(self) -> float:
        if len(self.seconds) < 2:
            return max(self.seconds, default=0.0)
        return quantiles(self.seconds, n=100, method="inclusive")[98]

    def _run(self) -> None:
        begun = time.monotonic()
        with self.client:
            for batch in batched(self._messages(), self.at_once):
                if self._is_stopped.is_set():
                    return
                if self.per_second is not None:
                    due = begun + len(self.accepted) / self.per_second
                    self._is_stopped.wait(max(0.0, due - time.monotonic()))
                self._offered += len(batch)
                self._send(batch)

    def _messages(self) -> Iterator[tuple[str, str]]:
        """To whom, and what."""
        for n in range(self.count):
            person = n // 2 % self.people
            yield self.account.address(person), f"{self.account.name} {n}"

    def _send(self, batch: Sequence[tuple[str, str]]) -> None:
        body = {"messages": [{"account_id": self.account.id, "to": to, "text": text} for to, text in batch]}
        key = token_hex(16)
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            answer = self._ask(body, key)
            if answer is None or answer.status_code in _AGAIN:
                # Even a sender that was told to stop finds out what became of what it asked.
                time.sleep(_AGAIN_AFTER_SECONDS)
                continue
            if answer.status_code != 202:
                self.refused.append(f"{answer.status_code} {answer.text[:200]}")
                return
            document = answer.json()
            for each in document["accepted"]:
                to, text = batch[each["index"]]
                self.accepted.append(Accepted(each["id"], self.account.id, to, text))
            self.refused += [str(each)[:200] for each in document["refused"]]
            return
        self.refused.append(f"a batch of {len(batch)} was not answered within {_GIVE_UP_SECONDS:.0f} s")

    def _ask(self, body: object, key: str) -> httpx.Response | None:
        started = time.monotonic()
        try:
            answer = self.client.post("/v1/messages/batch", json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError as error:
            self.answers[type(error).__name__] += 1
            return None
        finally:
            self.seconds.append(time.monotonic() - started)
        self.answers[str(answer.status_code)] += 1
        return answer
