"""docker-compose.yml as Compose itself reads it: the real program, which needs no engine to render."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text()
REQUIRED = frozenset(re.findall(r"\$\{(\w+):\?", TEXT))
PROFILES = ("demo", "observability", "ollama", "backup")

Service = dict[str, Any]


def config(env_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Nothing of this machine's own environment is passed on, and no .env that somebody keeps here."""
    program = Path(sys.executable).with_name("docker-compose")
    return subprocess.run(
        [program, "--env-file", env_file, *arguments, "config", "--format", "json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(env_file.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def rendered(env_file: Path, *profiles: str) -> dict[str, Any]:
    ran = config(env_file, *(word for profile in profiles for word in ("--profile", profile)))
    assert (ran.returncode, ran.stderr) == (0, "")
    made: dict[str, Any] = json.loads(ran.stdout)
    return made


def of_recado(services: Mapping[str, Service]) -> dict[str, Service]:
    return {name: service for name, service in services.items() if service["image"].startswith("recado")}


def with_side_door(services: Mapping[str, Service]) -> set[str]:
    """What serves for as long as it runs, and answers Prometheus besides what it serves."""
    beside = {"flower", "simulators", "traffic"}
    return {name for name, service in of_recado(services).items() if service["restart"] != "no"} - beside


def variables(service: Service) -> dict[str, str]:
    """What the process is given: Compose leaves out what nobody set."""
    return {name: value for name, value in service.get("environment", {}).items() if value is not None}
