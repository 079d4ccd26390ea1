"""Prometheus' own checker of rules, on a machine that does not have it.

One of the machine is preferred; else Debian's package is unpacked into `.venv/promtool`, which needs no root and
installs nothing.
"""

import os
import shutil
import subprocess
from pathlib import Path

from local.browser_tools import ToolMissing
from local.once import once
from local.places import ROOT

HOME = ROOT / ".venv" / "promtool"
PACKAGE = "prometheus"

# Lists of its own, for those of the system may be missing or old, and only root may renew them.
_OWN = (
    "-qq",
    "-o",
    f"Dir::State::lists={HOME / 'lists'}",
    "-o",
    f"Dir::Cache={HOME / 'cache'}",
    "-o",
    "APT::Sandbox::User=",
)
_BRING_YOUR_OWN = "Install promtool (Debian: prometheus), or name one in the environment variable PROMTOOL."


def promtool() -> Path:
    named = os.environ.get("PROMTOOL")
    if named:
        path = shutil.which(named)
        if path is None:
            raise ToolMissing(f"PROMTOOL names no program that can be run: {named}")
        return Path(path)
    path = shutil.which("promtool")
    return Path(path) if path else _unpacked()


def _unpacked() -> Path:
    unpacked = HOME / "unpacked"
    program = unpacked / "usr" / "bin" / "promtool"
    with once(HOME, "promtool", PACKAGE.encode()) as is_needed:
        if is_needed:
            shutil.rmtree(unpacked, ignore_errors=True)
            for folder in ("lists/partial", "cache/archives/partial"):
                (HOME / folder).mkdir(parents=True, exist_ok=True)
            _run("apt-get", *_OWN, "update")
            _run("apt-get", *_OWN, "download", PACKAGE)
            for archive in HOME.glob(f"{PACKAGE}_*.deb"):
                _run("dpkg-deb", "-x", archive, unpacked)
                archive.unlink()
            # The server that it comes with is as large, and not needed.
            (program.parent / "prometheus").unlink(missing_ok=True)
            _run(program, "--version")
            for folder in ("lists", "cache"):
                shutil.rmtree(HOME / folder)
    return program


def _run(*command: str | Path) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HOME)
    except OSError as error:
        raise ToolMissing(f"{error}\n{_BRING_YOUR_OWN}") from error
    if done.returncode:
        raise ToolMissing(f"{done.stdout}{done.stderr}\n{_BRING_YOUR_OWN}")
