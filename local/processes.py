"""Start child processes, know when they die, and leave none behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


class ProcessFailed(Exception):
    """A process ended, or never became ready. The message ends with what it last wrote."""


@dataclass
class Process:
    name: str
    command: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    uid: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        # A session of its own: Ctrl-C in the terminal reaches only whoever supervises, who stops us in order.
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [str(part) for part in self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if self.env is None else dict(self.env),
                start_new_session=True,
                preexec_fn=_stop_with_parent(self.stop_signal),  # noqa: PLW1509 - no threads here
                **_identity(self.uid),
            )

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        return self._child.poll() if self._child else None

    def wait_until(self, is_ready: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.exit_code is not None:
                raise ProcessFailed(f"{self.name} stopped with exit code {self.exit_code}.\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} was not ready after {seconds:.0f} s.\n{self.last_lines()}")
            time.sleep(0.05)

    def wait_until_ended(self, seconds: float) -> int:
        """Its exit code."""
        assert self._child is not None
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ProcessFailed(f"{self.name} did not end within {seconds:.0f} s.\n{self.last_lines()}") from error

    def has_written(self, words: str) -> bool:
        return self.log.exists() and words in self.log.read_text(errors="replace")

    def last_lines(self, count: int = 15) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-count:] if self.log.exists() else []
        return "\n".join([f"  the end of {self.log}:", *(f"    {line}" for line in lines)])

    def signal_stop(self) -> None:
        if self._child and self.exit_code is None:
            self._signal(self.stop_signal)

    def stop(self) -> None:
        """Ask, wait, then insist; the whole process group goes, so no grandchild stays."""
        if self._child is None:
            return
        self.signal_stop()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(self.stop_seconds)
        self._signal(signal.SIGKILL, whole_group=True)
        self._child.wait()
        self._child = None

    def kill(self) -> None:
        """At once and without a word, as a crash is."""
        if self._child is not None:
            self._signal(signal.SIGKILL, whole_group=True)
            self._child.wait()

    def _signal(self, number: signal.Signals, *, whole_group: bool = False) -> None:
        assert self._child is not None
        # Gone already is fine; macOS answers EPERM for a group of zombies.
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if whole_group else os.kill)(self._child.pid, number)


def stop_all(processes: Iterable[Process]) -> None:
    """All are asked at once, then each is waited for: the slowest decides, not the sum."""
    stopping = list(processes)
    for process in stopping:
        process.signal_stop()
    for process in stopping:
        process.stop()


def _stop_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Where the kernel can (Linux), a child also gets its stop signal if the supervisor is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def before_exec() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))

    return before_exec


def _identity(uid: int | None) -> dict[str, Any]:
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
