"""The provider that notes arrivals (arrivals.py), as a process of its own."""

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from bench.stage import Stage
from local.ports import HOST, free_port, is_listening
from local.processes import Process


@dataclass(frozen=True)
class NotingProvider:
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v23.0"

    def arrivals(self) -> list[tuple[str, float]]:
        """Since it was last asked: message and moment."""
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/", timeout=10) as answer:
            return [(message_id, moment) for message_id, moment in orjson.loads(answer.read())]


@contextmanager
def noting_provider(stage: Stage) -> Iterator[NotingProvider]:
    port = free_port()
    command = [sys.executable, "-m", "bench.arrivals", str(port)]
    process = Process("arrivals", command, stage.folder / "arrivals.log")
    process.start()
    try:
        process.wait_until(lambda: is_listening(port))
        yield NotingProvider(port)
    finally:
        process.stop()
