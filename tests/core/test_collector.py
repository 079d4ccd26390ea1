"""The collector leaves alone what a process loaded, in web processes and in each process of a worker."""

import subprocess
import sys

import pytest

SPARED = "import gc; print(gc.get_freeze_count())"


@pytest.mark.parametrize(
    "loaded",
    [
        "import project.asgi",
        "import celery_app; from celery.signals import worker_process_init; worker_process_init.send(None)",
    ],
)
def test_what_was_loaded_is_spared(loaded: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", f"{loaded}; {SPARED}"], capture_output=True, check=True, text=True
    )
    assert int(answer.stdout) > 50_000
