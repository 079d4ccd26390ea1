import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from local.processes import Process, ProcessFailed, stop_all

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)
WITH_CHILD = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)"
)


def python(log: Path, code: str, **values: float) -> Process:
    return Process("test", [sys.executable, "-c", code], log, **values)  # type: ignore[arg-type]


def test_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    process = python(tmp_path / "log", STUBBORN, stop_seconds=0.3)
    process.start()
    process.wait_until(lambda: process.has_written("up"))
    pid = process.pid
    process.stop()
    assert pid
    assert not psutil.pid_exists(pid)


def test_grandchildren_go_with_their_process(tmp_path: Path) -> None:
    process = python(tmp_path / "log", WITH_CHILD, stop_seconds=2)
    process.start()
    process.wait_until(lambda: process.has_written("\n"))
    grandchild = int((tmp_path / "log").read_text())
    process.stop()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(grandchild) and psutil.Process(grandchild).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_many_are_stopped_side_by_side(tmp_path: Path) -> None:
    processes = [python(tmp_path / f"log{number}", STUBBORN, stop_seconds=1) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.wait_until(lambda process=process: process.has_written("up"))  # type: ignore[misc]
    for process in processes:
        process.stop_signal = signal.SIGKILL
    started = time.monotonic()
    stop_all(processes)
    assert time.monotonic() - started < 2


def test_process_that_dies_while_starting_shows_its_last_words(tmp_path: Path) -> None:
    process = python(tmp_path / "log", "raise SystemExit('no such table')")
    process.start()
    with pytest.raises(ProcessFailed, match="exit code 1") as caught:
        process.wait_until(lambda: False, seconds=20)
    process.stop()
    assert "no such table" in str(caught.value)


def test_process_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    process = python(tmp_path / "log", STUBBORN, stop_seconds=0.1)
    process.start()
    with pytest.raises(ProcessFailed, match="not ready after"):
        process.wait_until(lambda: False, seconds=0.2)
    process.stop()


def test_log_of_the_run_before_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    for word in ("first", "second"):
        process = python(tmp_path / "web.log", f"print({word!r})")
        process.start()
        with pytest.raises(ProcessFailed):
            process.wait_until(lambda: False, seconds=20)
        process.stop()
    assert (tmp_path / "web.log").read_text() == "second\n"
    assert (tmp_path / "web.log.1").read_text() == "first\n"
