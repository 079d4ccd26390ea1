"""What Dockerfile promises. That it builds and works is tried where something builds: `make image-smoke`."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.base_images import base_images
from tests.deployment.compose import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
HEALTHCHECK = ROOT / "project" / "healthcheck.py"


def stages() -> dict[str, str]:
    """Each stage by its name, with what it starts from."""
    parts = re.split(r"^(?=FROM )", DOCKERFILE.replace("\\\n", " "), flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].split(" AS ")[1]: part for part in parts}


def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([program, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize("target", ["runtime", "backup"])
def test_what_runs_is_an_ordinary_user(target: str) -> None:
    users = re.findall(r"^USER (\S+)", stages()[target], re.MULTILINE)
    # By number, which is all that Kubernetes can compare with root.
    assert users[-1] == "10001:10001"


def test_both_images_are_targets() -> None:
    assert stages()["backup"].startswith("FROM runtime ")
    # Installers and their caches stay behind.
    assert stages()["runtime"].startswith("FROM base ")


def test_what_it_starts_from_is_named_exactly() -> None:
    others = [
        line.split()[1]
        for line in DOCKERFILE.splitlines()
        if line.startswith("FROM ") and line.split()[1] not in stages()
    ]
    assert others == base_images()
    for image in others:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", image), image


def test_requirements_are_installed_by_hash() -> None:
    installs = re.findall(r"(?:uv )?pip (?:install|sync) [^&\n]*", stages()["build"])
    assert len(installs) == 2
    for install in installs:
        assert "--require-hashes" in install
        assert "--no-cache" in install


def test_processes_are_told_to_stop_directly() -> None:
    """A shell in between would keep SIGTERM to itself."""
    instructions = re.findall(r"^\s*(?:HEALTHCHECK .*)?\b(?:CMD|ENTRYPOINT) (.*)", DOCKERFILE, re.MULTILINE)
    assert len(instructions) == 3
    assert all(instruction.startswith("[") for instruction in instructions)
    assert "STOPSIGNAL SIGTERM" in stages()["runtime"]


def test_no_secret_is_baked_in() -> None:
    assert not re.findall(r"\b\w*(?:SECRET|PASSWORD|TOKEN|_KEYS?)\w*=", DOCKERFILE)


def test_settings_of_the_build_make_their_secrets_up() -> None:
    program = """
from importlib import reload
from project.settings import build
print(build.SECRET_KEY)
print(reload(build).MADE_UP["SECRET_KEY"])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        # Whatever the builder's environment says.
        env={"PATH": os.environ["PATH"], "SECRET_KEY": "s" * 50},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len({"s" * 50, *ran.stdout.split()}) == 3


def test_only_what_is_named_reaches_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    named = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert all((ROOT / path).exists() for path in named)
    assert not {"tests", ".git", ".env", ".recado", ".venv"} & {path.split("/")[0] for path in named}


@pytest.fixture
def answering() -> Iterator[dict[str, object]]:
    says: dict[str, object] = {"status": 200, "body": b"ok"}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            says["path"] = self.path
            self.send_response(int(str(says["status"])))
            self.end_headers()
            self.wfile.write(bytes(str(says["body"]), "ascii"))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
            """Not in the tests' output."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    says["place"] = f"127.0.0.1:{server.server_port}"
    yield says
    server.shutdown()
    server.server_close()


def ask(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, HEALTHCHECK, address], cwd="/", capture_output=True, text=True, check=False
    )


def test_health_is_what_the_process_says(answering: dict[str, object]) -> None:
    assert ask(f"http://{answering['place']}/readyz").returncode == 0
    assert answering["path"] == "/readyz"
    answering |= {"status": 503, "body": "no progress for 90 s"}
    ran = ask(f"http://{answering['place']}/healthz")
    assert ran.returncode == 1
    assert "503 no progress for 90 s" in ran.stderr


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_who_does_not_answer_is_not_well(scheme: str) -> None:
    ran = ask(f"{scheme}://127.0.0.1:1")
    assert ran.returncode == 1
    assert "does not answer" in ran.stderr
