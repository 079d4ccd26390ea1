"""A demo of its own, with its own home and ports."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from local.ports import HOST, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
# Beside other tests on the same cores, it takes three times as long as alone.
SECONDS = 180


class Demo:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.output = home.with_suffix(".out")
        names = [
            f"RECADO_{name}_PORT"
            for name in ("WEB", "FLOWER", "POSTGRES", "REDIS", "SIMULATORS", "SMTP", "GRPC", "S3")
        ]
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name
            not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "JWT_SIGNING_KEYS"}
            and name != "ENCRYPTION_KEYS"
        }
        self.environment |= {"RECADO_HOME": str(home)} | {name: str(free_port()) for name in names}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.demo"], cwd=ROOT, env=self.environment, stdout=output, stderr=output
            )

    def wait_until_ready(self) -> None:
        assert self.process
        deadline = time.monotonic() + SECONDS
        while "Ready in" not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)

    def stop(self, number: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(30)

    def text(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def url(self, variable: str, path: str) -> str:
        return f"http://{HOST}:{self.environment[variable]}{path}"

    def left(self) -> list[str]:
        """Processes that still run with this demo's folder in their environment or on their command line."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("RECADO_HOME") == str(self.home)
                if (mine or str(self.home) in " ".join(process.cmdline())) and process.pid != os.getpid():
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return found
