"""What happens before the loss, at it and after it, and what must hold in the end."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from redis import Redis

from apps.core import clock
from apps.messaging.engine.doorbell import Bell, Doorbells
from chaos.crew import DISPATCH, EVENTS, TEAMS, Crew, hired
from chaos.drill.lives import Lives
from chaos.drill.sums import differing, sums
from chaos.stage import Stage, manage
from chaos.watcher import Watcher
from local.processes import Process

_PATIENCE_SECONDS = 120.0
# Receipts of what the lost system sent come when it is lost.
_RECEIPTS_LATER_SECONDS = 8.0
# Longer than either life: the receipt, which is posted again and again while nobody answers, is to settle it.
_UNKNOWN_WAIT = 300
_PART = 100
# As in chaos: nobody wrote first, and nothing but the provider limits.
_POLICY = {
    "rate_per_second": 50_000,
    "burst": 50_000,
    "recipient_rate_per_second": None,
    "recipient_burst": None,
    "retry_base_ms": 200,
    "unknown_wait": _UNKNOWN_WAIT,
    "reply_window": "left_to_provider",
}


@dataclass(frozen=True, slots=True)
class Size:
    sent: int
    dead: int
    waiting: int
    window: int
    scheduled: int
    # From when they are accepted until they are due: later than the restore.
    scheduled_in: timedelta
    # For how long it is watched that nothing leaves.
    held_seconds: float
    # Whether it is unpacked, with the secret key, before it is needed.
    reads_back: bool
    teams: Mapping[str, str]


WHOLE = Size(
    sent=5_000,
    dead=100,
    waiting=5_000,
    window=200,
    scheduled=500,
    scheduled_in=timedelta(seconds=120),
    held_seconds=10,
    reads_back=True,
    teams=TEAMS,
)
SMALL = Size(
    sent=60,
    dead=5,
    waiting=60,
    window=10,
    scheduled=10,
    scheduled_in=timedelta(seconds=25),
    held_seconds=1.5,
    reads_back=False,
    teams={"all": f"{DISPATCH},{EVENTS}"},
)


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    seconds: float
    note: str


@dataclass
class Drill:
    lives: Lives
    size: Size
    steps: list[Step] = field(default_factory=list, init=False)
    # Whatever must not be.
    problems: list[str] = field(default_factory=list, init=False)
    # Texts that were accepted, by what they are for.
    texts: dict[str, list[str]] = field(default_factory=dict, init=False)
    _accounts: dict[str, tuple[str, str]] = field(default_factory=dict, init=False)
    _due_at: datetime | None = field(default=None, init=False)

    def run(self) -> None:
        with self._step("first servers, migrations, seed"):
            first = self.lives.begin("first")
            self.lives.seed(first)
            first = _with_key(first, self.lives.api_key)
            web = self.lives.web(first)
        watcher = Watcher([first.url], first.api_key, first.client())
        try:
            with self._step("a life before"), hired(first, teams=self.size.teams) as crew:
                self._live(first, crew, web)
            before = self._lose(first)
            self._come_back(first, before, watcher)
        finally:
            watcher.stop()

    def _live(self, stage: Stage, crew: Crew, web: Process) -> None:
        for name in ("sent", "dead", "waiting", "window", "scheduled", "flying"):
            self._open(stage, name)
        stage.providers.go_wrong({"kind": "blocked", "account": self._accounts["dead"][1]})
        self._send(stage, "sent", self.size.sent)
        self._send(stage, "dead", self.size.dead)
        self._wait(lambda: stage.books.unfinished(self._ids) == 0, "what was to be sent before is sent")
        self._wait(lambda: self._receipts_are_in(stage), "receipts of it are in")
        later = {"sent_after": _RECEIPTS_LATER_SECONDS, "delivered_after": _RECEIPTS_LATER_SECONDS + 0.5}
        self.lives.providers.delay(latency=0.0, **later, read_after=_RECEIPTS_LATER_SECONDS + 1)
        for name in ("waiting", "window"):
            # With an end: so that it is the restore that holds it, and no earlier pause.
            self._pause(stage, name)
            self._send(stage, name, getattr(self.size, name))
        self._due_at = clock.now() + self.size.scheduled_in
        self._send(stage, "scheduled", self.size.scheduled, scheduled_at=self._due_at.isoformat())
        # At the provider, which takes its time to answer, when all workers die.
        slow = {"kind": "slow", "seconds": 1.8, "account": self._accounts["flying"][1]}
        stage.providers.go_wrong({"kind": "blocked", "account": self._accounts["dead"][1]}, slow)
        self._send(stage, "flying", 1)
        self._wait(lambda: len(stage.books.in_flight(self._ids)) == 1, "one is at the provider")
        self._wait(lambda: self._arrived()[self.texts["flying"][0]] == 1, "the provider has it")
        # Receipts of it, and of what is sent after the backup, are posted again and again until somebody answers.
        web.kill()
        for worker in crew.workers.values():
            for pid in worker.pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _lose(self, stage: Stage) -> Any:
        before = sums(stage.postgres.url)
        with self._step("backup") as say:
            say(self._manage(stage, "backup").splitlines()[0])
        if self.size.reads_back:
            with self._step("backup read back with the secret key") as say:
                say(self._manage(stage, "list_backups", "--verify", "latest", **self.lives.identity).strip())
        if changed := differing(before, sums(stage.postgres.url)):
            self.problems.append(f"the drill is no drill: {changed} changed while it was backed up")
        with self._step("after the backup, before the loss") as say, hired(stage, teams=self.size.teams):
            self._end_pause(stage, "window")
            window = set(self.texts["window"])
            self._wait(lambda: len(window & self._arrived().keys()) == len(window), "the window's are sent")
            say(f"{len(window)} of those that waited leave; their receipts never come to this life")
        with self._step("PostgreSQL and Redis destroyed"):
            self.lives.destroy(stage)
        return before

    def _come_back(self, lost: Stage, before: Any, watcher: Watcher) -> None:
        with self._step("new, empty servers"):
            stage = self.lives.begin("second")
        with self._step("restore_backup") as say:
            said = self._manage(stage, "restore_backup", **self.lives.identity).splitlines()
            say("; ".join(line for line in said if line.startswith(("restored", "The events"))))
        rows = sum(count for count, _ in before.values())
        if changed := differing(before, sums(stage.postgres.url)):
            self.problems.append(f"not what was backed up: {', '.join(changed)}")
        else:
            self.steps.append(Step("checksums", 0.0, f"{len(before)} tables, {rows:,} rows, all as before"))
        sent_before = self._arrived()
        with (
            self._step("web and workers start, and everything is held") as say,
            hired(stage, teams=self.size.teams),
        ):
            self.lives.web(stage)
            self._wait(watcher.is_in.is_set, "the client is back")
            settled = {"window", "flying"}
            accounts = [self._accounts[name][0] for name in settled]
            self._wait(lambda: stage.books.unfinished(accounts) == 0, "late receipts settle what was sent")
            time.sleep(self.size.held_seconds)
            if new := self._arrived() - sent_before:
                self.problems.append(f"{new.total()} left although everything was held")
            say(f"late receipts settled {self.size.window + 1} messages; nothing left")
            self._release(stage)
            with self._step("the client knows it too"):
                self._wait(lambda: self._is_told(stage, watcher), "the stream goes on where it began anew")
        if watcher.gaps == 0:
            self.problems.append("the client was not told of a gap")
        self._judge(stage)

    def _release(self, stage: Stage) -> None:
        with self._step("released, until the last one was sent") as say:
            say(self._manage(stage, "restore_backup", "--release").strip())
            left = (self._due_at - clock.now()).total_seconds() if self._due_at else 0
            patience = _PATIENCE_SECONDS + max(0.0, left)
            self._wait(lambda: stage.books.unfinished(self._ids) == 0, "everything is sent", patience)

    def _is_told(self, stage: Stage, watcher: Watcher) -> bool:
        """Of each message that was sent after the restore, its last status."""
        accounts = [self._accounts[name][0] for name in ("waiting", "scheduled")]
        endings = stage.books.endings(accounts)
        return all(watcher.statuses.get(message) == ending.status for message, ending in endings.items())

    def _judge(self, stage: Stage) -> None:
        arrived = self._arrived()
        for name in ("sent", "waiting", "window", "scheduled", "flying", "dead"):
            times = Counter(arrived[text] for text in self.texts[name])
            wanted = 0 if name == "dead" else 1
            wrong = {count: number for count, number in times.items() if count != wanted}
            if wrong:
                self.problems.append(f"{name}: times at the provider → messages: {dict(times)}")
            self.steps.append(Step(f"  {name}", 0.0, f"{len(self.texts[name])} × {wanted} at the provider"))
        early = [
            at for at in stage.books.sent_at(self._accounts["scheduled"][0]) if self._due_at and at < self._due_at
        ]
        if early:
            self.problems.append(f"{len(early)} scheduled ones left too early")
        endings = stage.books.endings([self._accounts["dead"][0]]).values()
        if sum(bool(ending.is_dead_letter) for ending in endings) != self.size.dead:
            self.problems.append("dead letters are not what they were")
        if twice := stage.books.written_twice(self._ids):
            self.problems.append(f"{twice} messages tell a status twice")

    # How it is done

    @property
    def _ids(self) -> list[str]:
        return [account_id for account_id, _ in self._accounts.values()]

    def _manage(self, stage: Stage, *arguments: str, **more: str) -> str:
        return manage({**stage.environment, "LOG_LEVEL": "warning", **more}, *arguments)

    def _open(self, stage: Stage, name: str) -> None:
        number = str(10**14 + len(self._accounts))
        credentials = {"phone_number_id": number, "access_token": "token", "app_secret": stage.app_secret}
        body = {"connector": "whatsapp_cloud", "name": f"drill {name}", "credentials": credentials, **_POLICY}
        self._accounts[name] = (_post(stage, "/v1/channel-accounts", body)["id"], number)

    def _send(self, stage: Stage, name: str, count: int, **each: str) -> None:
        account_id, _ = self._accounts[name]
        texts = [f"{name} {n}" for n in range(count)]
        self.texts[name] = texts
        for start in range(0, count, _PART):
            part = texts[start : start + _PART]
            messages = [
                {"account_id": account_id, "to": f"+55119{10_000_000 + start + n}", "text": text, **each}
                for n, text in enumerate(part)
            ]
            answer = _post(stage, "/v1/messages/batch", {"messages": messages})
            assert len(answer["accepted"]) == len(part), answer["refused"]

    def _pause(self, stage: Stage, name: str) -> None:
        until = (clock.now() + timedelta(hours=1)).isoformat()
        _post(stage, f"/v1/channel-accounts/{self._accounts[name][0]}/pause", {"reason": "drill", "until": until})

    def _end_pause(self, stage: Stage, name: str) -> None:
        """As the API does, which no web process serves any more: its bell need not sleep until the sweep rings."""
        account_id = self._accounts[name][0]
        stage.books.end_pause(account_id)
        with Redis.from_url(stage.valkey.url) as redis:
            Doorbells(redis).forget([Bell(f"drain:whatsapp_cloud:{account_id}")])

    def _arrived(self) -> Counter[str]:
        return Counter(each.text for each in self.lives.providers.received())

    def _receipts_are_in(self, stage: Stage) -> bool:
        return stage.providers.callbacks_pending() == 0 and stage.books.unread_callbacks() == 0

    def _wait(self, holds: Callable[[], bool], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
        ends = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > ends:
                raise AssertionError(f"not within {seconds:.0f} s: {what}")
            time.sleep(0.1)

    @contextmanager
    def _step(self, name: str) -> Iterator[Callable[[str], None]]:
        notes: list[str] = []
        place, started = len(self.steps), time.monotonic()
        yield notes.append
        self.steps.insert(place, Step(name, time.monotonic() - started, "; ".join(notes)))


def _post(stage: Stage, path: str, body: Any) -> Any:
    with stage.client() as client:
        answer: httpx.Response = client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def _with_key(stage: Stage, key: str) -> Stage:
    return Stage(
        stage.folder, stage.postgres, stage.valkey, stage.providers, stage.books, stage.url, key,
        stage.app_secret, stage.environment,
    )  # fmt: skip


def as_text(steps: Sequence[Step]) -> str:
    width = max(len(step.name) for step in steps)
    return "\n".join(
        f"  {step.name:<{width}}  {f'{step.seconds:6.1f} s' if step.seconds else '        '}  {step.note}".rstrip()
        for step in steps
    )
