"""Workers and beats as processes of their own, over the database and Redis of the test."""

import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from local.ports import HOST, free_port
from local.processes import Process
from tests.server import environment_of

# On SIGUSR1 a worker's consumer takes nothing more, as Celery's are known to after a reconnect; on SIGUSR2 it does
# again.
_LAUNCH = """
import signal
from celery.worker.consumer import Consumer
from apps.operations.progress import verdict

def listen(consumer):
    signal.signal(signal.SIGUSR1, lambda *_: consumer.call_soon(consumer.task_consumer.cancel))
    signal.signal(signal.SIGUSR2, lambda *_: consumer.call_soon(consumer.task_consumer.consume))
    on_ready(consumer)

verdict.STUCK_SECONDS = {patience}
on_ready, Consumer.on_ready = Consumer.on_ready, listen

from celery.__main__ import main
main()
"""


class Celery(Process):
    """`celery --app celery_app …`, with its side door open."""

    def __init__(self, name: str, folder: Path, *arguments: str, patience: float = 60.0, **changed: str) -> None:
        self.door = f"http://{HOST}:{(port := free_port())}"
        environment = environment_of(folder, "http://web.example", INTERNAL_ADDRESS=f"{HOST}:{port}", **changed)
        command = [sys.executable, "-c", _LAUNCH.format(patience=patience), "--app", "celery_app", *arguments]
        super().__init__(name, command, folder / f"{name}.log", env=environment, stop_seconds=15)

    def health(self) -> tuple[int, str]:
        """Nothing while nobody answers."""
        connection = HTTPConnection(urlsplit(self.door).netloc, timeout=10)
        try:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            return answer.status, answer.read().decode().strip()
        except (OSError, HTTPException):
            return 0, ""
        finally:
            connection.close()
