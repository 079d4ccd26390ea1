"""The command line as a process, and what it talks to."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

import recado_cli
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from apps.core import clock
from tests.cast import PASSWORD, House

SOURCE = Path(recado_cli.__file__).parent.parent
SECONDS = 20


@dataclass
class Ran:
    exit_code: int
    output: str
    errors: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.output.splitlines()]


class Cli:
    def __init__(self, config: Path, url: str, grpc: str) -> None:
        self.config, self.url, self.grpc = config, url, grpc
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RECADO_")}
        self.environment = kept | {
            "PYTHONPATH": str(SOURCE),
            "XDG_CONFIG_HOME": str(config),
            "PYTHONWARNINGS": "error",
            "PYTHONUTF8": "1",
            "TZ": "America/Sao_Paulo",
        }

    def __call__(self, *arguments: str, typed: str = "") -> Ran:
        return self.run(["-m", "recado_cli", *arguments], typed)

    def run(self, python: list[str], typed: str = "") -> Ran:
        done = subprocess.run(
            [sys.executable, *python],
            input=typed,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def log_in(self, house: House) -> Ran:
        typed = f"owner@{house.organization.slug}.example\n{PASSWORD}\n"
        return self("login", "--url", self.url, "--grpc", self.grpc, typed=typed)

    def at_terminal(self, *arguments: str) -> str:
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "recado_cli", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.environment,
        )
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # Linux says so when the other side has gone
            while chunk := os.read(ours, 65536):
                shown += chunk
        os.close(ours)
        child.wait(SECONDS)
        return shown.decode()

    @property
    def kept(self) -> Path:
        return self.config / "recado" / "default.json"


class Running:
    """A command that goes on until it is stopped."""

    def __init__(self, cli: Cli, *arguments: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "recado_cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=cli.environment,
            # Whoever runs the tests in the background may ignore Ctrl-C, and their children would as well.
            preexec_fn=_heed_interrupts,  # noqa: PLW1509 - it only sets a signal
        )
        self.output: list[str] = []
        self.errors: list[str] = []
        pipes = ((self._child.stdout, self.output), (self._child.stderr, self.errors))
        self._readers = [threading.Thread(target=_read, args=each) for each in pipes]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop(signal.SIGKILL)

    def frames(self, kind: str = "status") -> list[Any]:
        return [frame for frame in map(json.loads, list(self.output)) if frame["type"] == kind]

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < deadline, (self.output, self.errors)
            time.sleep(0.02)

    def wait_until_told(self, words: str) -> None:
        self.wait_until(lambda: words in "".join(self.errors))

    def end(self) -> int:
        """By itself."""
        return self._child.wait(SECONDS)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        if self._child.poll() is None:
            self._child.send_signal(number)
        code = self._child.wait(SECONDS)
        for reader in self._readers:
            reader.join()
        for pipe in (self._child.stdout, self._child.stderr):
            assert pipe
            pipe.close()
        return code


def _read(pipe: Any, lines: list[str]) -> None:
    for line in pipe:
        lines.append(line)  # noqa: PERF402 - others look on while it comes


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """For 127.0.0.1, by itself; and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Recado")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
