"""One scenario: its own accounts, its senders, what goes wrong meanwhile, and the row in the table at its end."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self

import httpx

from chaos.crew import Crew
from chaos.sender import Account, Sender
from chaos.stage import Stage
from chaos.verdict import Accepted, Verdict, judge

# Long enough for a lease, a wait for a receipt, another try, and all of it once more.
DEADLINE_SECONDS = 120.0
_RECEIPTS_SECONDS = 30.0
_POLL_SECONDS = 0.1
_QUICK = {
    "rate_per_second": 50_000,
    "burst": 50_000,
    "recipient_rate_per_second": None,
    "recipient_burst": None,
    "breaker_seconds": 2,
    "retry_base_ms": 200,
    # Time enough for the receipts of a busy machine.
    "unknown_wait": 8,
    # Nobody wrote first.
    "reply_window": "left_to_provider",
}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Scale:
    """Of what a whole run has, so much."""

    messages: float = 1.0
    times: float = 1.0
    seconds: float = 1.0

    def of_messages(self, whole: int) -> int:
        return round(whole * self.messages)

    def of_times(self, whole: int) -> int:
        return max(1, round(whole * self.times))

    def of_seconds(self, whole: float) -> float:
        return whole * self.seconds


WHOLE = Scale()
QUICK = Scale(messages=0.1, times=0.25, seconds=0.2)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    verdict: Verdict
    # From the end of the trouble until every message had come to an end; None is never.
    seconds: float | None
    notes: Sequence[str]
    # Whatever must not be.
    problems: Sequence[str]

    @property
    def holds(self) -> bool:
        return not self.problems


@dataclass
class Trial:
    name: str
    stage: Stage
    crew: Crew
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    # Those of which nobody may get anything twice.
    never_doubled: list[Account] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    _trouble_ended: float | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self.crew.replace_the_dead()
        self.crew.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for sender in self.senders:
            sender.stop()
        with suppress(httpx.HTTPError):
            self.stage.providers.go_well()

    def whatsapp(self, **policy: Any) -> Account:
        """Our id comes back in every receipt, so nothing is doubled."""
        return self._open("whatsapp_cloud", "phone_number_id", is_never_doubled=True, **policy)

    def instagram(self, *, on_unknown: str, **policy: Any) -> Account:
        """Nothing of ours comes back: the account decides."""
        never = on_unknown == "dead_letter"
        return self._open("instagram", "instagram_id", is_never_doubled=never, on_unknown=on_unknown, **policy)

    def send(
        self,
        account: Account,
        messages: int,
        people: int = 400,
        through: httpx.BaseTransport | None = None,
        **pace: Any,
    ) -> Sender:
        sender = Sender(self.stage.client(through), account, messages, min(people, max(1, messages // 4)), **pace)
        self.senders.append(sender)
        sender.start()
        return sender

    @property
    def accepted(self) -> list[Accepted]:
        return [message for sender in self.senders for message in list(sender.accepted)]

    @property
    def ids(self) -> list[str]:
        return [account.id for account in self.accounts]

    def arrived(self) -> list[str]:
        """Texts, in the order in which the providers had them."""
        names = {account.name for account in self.accounts}
        return [each.text for each in self.stage.providers.received() if each.account in names]

    def wait_for(self, holds: Callable[[], bool], seconds: float = 30.0) -> bool:
        ends = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > ends:
                return False
            # A worker whose only child was killed while it started ends a moment later, by itself.
            self.crew.replace_the_dead()
            time.sleep(_POLL_SECONDS)
        return True

    def require(self, holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Without it the scenario would show nothing."""
        if not self.wait_for(holds, seconds):
            self.problems.append(f"not within {seconds:.0f} s: {what}")

    def rounds(self, times: int, seconds: float) -> Iterator[int]:
        """So many, so far apart, while messages are on their way."""
        for n in range(times):
            time.sleep(seconds)
            yield n

    def trouble_is_over(self) -> None:
        self._trouble_ended = time.monotonic()

    def finish(self, seconds: float = DEADLINE_SECONDS) -> Row:
        if self._trouble_ended is None:
            self.trouble_is_over()
        assert self._trouble_ended is not None
        for sender in self.senders:
            sender.wait(seconds)
        is_finished = self.wait_for(lambda: self.stage.books.unfinished(self.ids) == 0, seconds)
        took = time.monotonic() - self._trouble_ended if is_finished else None
        self.wait_for(self._all_receipts_are_in, _RECEIPTS_SECONDS)
        verdict = judge(self.accepted, self.arrived(), self.stage.books.endings(self.ids))
        self._note_problems(verdict)
        return Row(self.name, verdict, took, self.notes, self.problems)

    def must_know_every_outcome(self) -> None:
        """Where nobody was killed."""
        if unknown := self.stage.books.unknown_outcomes(self.ids):
            why = ", ".join(f"{count} × {reason}" for reason, count in unknown.most_common(5))
            self.problems.append(f"{unknown.total()} unknown outcomes, although nobody was killed: {why}")

    def _all_receipts_are_in(self) -> bool:
        return self.stage.providers.callbacks_pending() == 0 and self.stage.books.unread_callbacks() == 0

    def _note_problems(self, verdict: Verdict) -> None:
        doubled = set()
        arrived = self.arrived()
        for account in self.never_doubled:
            texts = [text for text in arrived if text.startswith(f"{account.name} ")]
            if len(texts) > len(set(texts)):
                doubled.add(f"{len(texts) - len(set(texts))} doubled at {account.connector}, which must not be")
        offered = sum(sender.count for sender in self.senders)
        refused = [words for sender in self.senders for words in sender.refused]
        found = {
            "offered and never accepted": offered - verdict.accepted,
            "not finished": self.stage.books.unfinished(self.ids),
            "lost": len(verdict.lost),
            "doubled without a word": len(verdict.doubled_unseen),
            "out of order": len(verdict.out_of_order),
            "arrived and not known, or known and not arrived": len(verdict.wrong),
            "with a status written twice": self.stage.books.written_twice(self.ids),
        }
        self.problems += [f"{number} {what}" for what, number in found.items() if number]
        self.problems += sorted(doubled)
        if refused:
            self.problems.append(f"{len(refused)} refused, the first with {refused[0]}")

    def _open(self, connector: str, its_name: str, *, is_never_doubled: bool, **policy: Any) -> Account:
        name = str(10**14 + next(_numbers))
        credentials = {its_name: name, "access_token": "token", "app_secret": self.stage.app_secret}
        body = {
            "connector": connector,
            "name": f"{self.name} {name}",
            "credentials": credentials,
            **_QUICK,
            **policy,
        }
        with self.stage.client() as client:
            answer = client.post("/v1/channel-accounts", json=body)
            assert answer.status_code == 201, answer.text
        account = Account(answer.json()["id"], connector, name)
        self.accounts.append(account)
        if is_never_doubled:
            self.never_doubled.append(account)
        return account


@contextmanager
def faults(trial: Trial, *ordered: dict[str, Any]) -> Iterator[None]:
    """Of the providers, for as long as the block lasts."""
    trial.stage.providers.go_wrong(*ordered)
    try:
        yield
    finally:
        trial.stage.providers.go_well()
