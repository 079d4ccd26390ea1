"""Celery workers and web processes, started as in production and gone when the block ends."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from bench.figure import CannotMeasure
from bench.stage import Stage
from local.places import ROOT
from local.ports import HOST, free_port, is_listening
from local.processes import Process, stop_all

READY_SECONDS = 60
_number = count(1)


@dataclass(frozen=True)
class Layout:
    """Which workers there are, each by its arguments, and what differs in their environment."""

    name: str
    workers: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def told(self, **environment: str) -> "Layout":
        return Layout(self.name, self.workers, {**self.environment, **environment})


@contextmanager
def running(stage: Stage, app: Any, module: str, layout: Layout) -> Iterator[list[Process]]:
    """`app` is what `module` holds, here in this process, to ask the workers whether they are there."""
    environment = os.environ | layout.environment
    processes = []
    for arguments in layout.workers:
        name = f"worker{next(_number)}"
        command = [
            *(sys.executable, "-m", "celery", "--app", module, "worker", "--loglevel", "warning"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", f"{name}@bench"),
            *arguments.split(),
        ]
        processes.append(Process(name, command, stage.folder / f"{name}.log", env=environment, stop_seconds=15))
    try:
        for process in processes:
            process.start()
        _wait_until_ready(app, processes)
        yield processes
    finally:
        stop_all(processes)


def _wait_until_ready(app: Any, processes: Sequence[Process]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    wanted = [f"{process.name}@bench" for process in processes]
    while len(app.control.ping(wanted, timeout=1.0, limit=len(wanted))) < len(wanted):
        for process in processes:
            if process.exit_code is not None:
                raise CannotMeasure(f"a worker stopped.\n{process.last_lines()}")
        if time.monotonic() > deadline:
            raise CannotMeasure(f"the workers were not ready.\n{processes[0].last_lines()}")


def memory_of(processes: Sequence[Process]) -> int:
    """Bytes in memory, children included."""
    total = 0
    for process in processes:
        assert process.pid is not None
        parent = psutil.Process(process.pid)
        total += sum(each.memory_info().rss for each in (parent, *parent.children(recursive=True)))
    return total


@contextmanager
def web(stage: Stage, application: str, *arguments: str) -> Iterator[int]:
    """One uvicorn process. Yields its port."""
    with web_process(stage, application, *arguments) as (port, _process):
        yield port


@contextmanager
def web_process(stage: Stage, application: str, *arguments: str) -> Iterator[tuple[int, Process]]:
    port = free_port()
    command: list[str | Path] = [
        Path(sys.executable).parent / "uvicorn",
        *(application, "--host", HOST, "--port", str(port)),
        *("--no-access-log", "--no-proxy-headers", "--lifespan", "off"),
        # The load keeps connections that it does not need at the moment.
        *("--timeout-keep-alive", "600"),
        "--log-config",
        ROOT / "project" / "uvicorn.json",
        *arguments,
    ]
    process = Process("web", command, stage.folder / f"web{next(_number)}.log", env=os.environ)
    process.start()
    try:
        process.wait_until(lambda: is_listening(port), READY_SECONDS)
        yield port, process
    finally:
        process.stop()
