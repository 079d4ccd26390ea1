"""Celery workers, as they are deployed, and what can happen to their processes."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random

import psutil

from apps.channels.registry import NAMES, queue_of
from chaos.stage import Stage
from local.processes import Process, stop_all

READY_SECONDS = 120
# How long calls may take. Short, so that a lease is, four times as long: no scenario waits a minute for its end.
OUTBOUND_SECONDS = 2
LEASE_SECONDS = 4 * OUTBOUND_SECONDS
_DIES_WITHIN_SECONDS = 10
_CELERY = [sys.executable, "-m", "celery", "--app", "celery_app"]
DISPATCH = ",".join(queue_of(connector) for connector in NAMES)
EVENTS = "maintenance,events"
# Two that dispatch, one for everything else.
TEAMS = {"dispatch-1": DISPATCH, "dispatch-2": DISPATCH, "events": EVENTS}


@dataclass
class Worker:
    name: str
    queues: str
    process: Process

    @property
    def pids(self) -> list[int]:
        """The parent, then its children; none of one that is gone."""
        if self.process.pid is None or self.process.exit_code is not None:
            return []
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            return [parent.pid, *(child.pid for child in parent.children())]
        return []

    @property
    def is_ready(self) -> bool:
        return self.process.has_written(" ready.")


@dataclass
class Crew:
    stage: Stage
    # Children of each worker.
    children: int = 2
    # Whether calls may take as long as in production.
    is_patient: bool = False
    workers: dict[str, Worker] = field(default_factory=dict, init=False)
    _past: list[Process] = field(default_factory=list, init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1), init=False)

    def hire(self, teams: Mapping[str, str] = TEAMS) -> None:
        """By their names, the queues that each works on."""
        for name, queues in teams.items():
            if name not in self.workers:
                self._start(name, queues)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for worker in self.workers.values():
            worker.process.wait_until(lambda worker=worker: worker.is_ready, READY_SECONDS)  # type: ignore[misc]

    @property
    def dispatchers(self) -> list[Worker]:
        return [worker for worker in self.workers.values() if worker.queues == DISPATCH]

    def strike(self, chance: Random) -> str:
        """Some process of some worker, which a supervisor replaces at once, and says which."""
        worker, pids = chance.choice([(each, pids) for each in self.workers.values() if (pids := each.pids)])
        victim = chance.choice(pids)
        is_parent = victim == pids[0]
        self._kill(worker, [victim], is_parent=is_parent)
        self.replace_the_dead()
        return f"{worker.name} {'parent' if is_parent else 'child'}"

    def kill(self, worker: Worker) -> None:
        """All of it at once, as when its machine fails."""
        self._kill(worker, worker.pids, is_parent=True)
        self.replace_the_dead()

    def _kill(self, worker: Worker, pids: list[int], *, is_parent: bool) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if is_parent:
            # It takes a moment to die. Whoever is replaced is seen dead first, and nobody may look a second time.
            worker.process.wait_until_ended(_DIES_WITHIN_SECONDS)

    def replace_the_dead(self) -> int:
        """As a supervisor does. The children of a dead parent are left alone: they may go on with their work."""
        dead = [worker for worker in self.workers.values() if worker.process.exit_code is not None]
        for worker in dead:
            self._past.append(worker.process)
            self._start(worker.name, worker.queues)
        return len(dead)

    def roll(self, worker: Worker) -> Process:
        """Asks it to stop, with another in its place at once. One that still starts has nothing to finish."""
        worker.process.wait_until(lambda: worker.is_ready, READY_SECONDS)
        worker.process.signal_stop()
        self._past.append(worker.process)
        self._start(worker.name, worker.queues)
        return worker.process

    def start_another(self, worker: Worker) -> None:
        """In its place, and ready, before it is asked to stop."""
        self._past.append(worker.process)
        self._start(worker.name, worker.queues)
        another = self.workers[worker.name]
        another.process.wait_until(lambda: another.is_ready, READY_SECONDS)

    def freeze(self, worker: Worker) -> list[int]:
        """Returns whom to thaw."""
        pids = worker.pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        return pids

    def thaw(self, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def beats(self, how_many: int) -> Iterator[None]:
        beats = [
            Process(
                f"beat-{n}",
                [*_CELERY, "beat", "--pidfile="],
                self.stage.folder / f"beat-{n}.log",
                env=self.stage.environment,
            )
            for n in range(how_many)
        ]
        try:
            for beat in beats:
                beat.start()
            for beat in beats:
                beat.wait_until(lambda beat=beat: beat.has_written("Starting"), READY_SECONDS)  # type: ignore[misc]
            yield
        finally:
            stop_all(beats)

    def wait_for_the_rolled(self, processes: list[Process], seconds: float) -> list[int | None]:
        """Their exit codes; None is of one that did not stop in time."""
        deadline = time.monotonic() + seconds
        while any(process.exit_code is None for process in processes) and time.monotonic() < deadline:
            time.sleep(0.1)
        return [process.exit_code for process in processes]

    def dismiss(self) -> None:
        for worker in self.workers.values():
            self.thaw(worker.pids)
        stop_all([*(worker.process for worker in self.workers.values()), *self._past])

    def _start(self, name: str, queues: str) -> None:
        number = next(self._numbers)
        command = [
            *(*_CELERY, "worker", "--queues", queues, "--concurrency", str(self.children)),
            *("--hostname", f"{name}-{number}@chaos"),
        ]
        log = self.stage.folder / f"{name}.{number}.log"
        environment = dict(self.stage.environment)
        if not self.is_patient:
            environment["OUTBOUND_SECONDS"] = str(OUTBOUND_SECONDS)
        process = Process(f"{name}-{number}", command, log, env=environment, stop_seconds=2)
        process.start()
        self.workers[name] = Worker(name, queues, process)


@contextmanager
def hired(
    stage: Stage, children: int = 2, teams: Mapping[str, str] = TEAMS, *, is_patient: bool = False
) -> Iterator[Crew]:
    crew = Crew(stage, children, is_patient)
    try:
        crew.hire(teams)
        yield crew
    finally:
        crew.dismiss()
