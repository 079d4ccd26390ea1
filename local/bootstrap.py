"""Build `.venv` from the hashed requirements, with nothing but a Python and its venv module.

Standard library only, and old syntax on purpose: the `python3` that runs this file may be older than
the one that runs Recado. Where no suitable Python is installed, uv fetches one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
INSTALLER = ROOT / ".venv" / "installer"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "requirements.sha256"
CATALOGUES = ROOT / "locale"


def main() -> None:
    if not is_current():
        started = time.monotonic()
        say("Building .venv from requirements/dev.txt …")
        uv = find_uv()
        python = (ROOT / ".python-version").read_text().strip()
        run(uv, "venv", "--quiet", "--allow-existing", "--python", python, str(VENV))
        run(
            uv,
            "pip",
            "sync",
            "--quiet",
            "--require-hashes",
            "--python",
            str(VENV / "bin" / "python"),
            str(REQUIREMENTS),
        )
        STAMP.write_text(fingerprint())
        say("Environment ready in %.0f s." % (time.monotonic() - started))
    compile_translations()


def is_current() -> bool:
    return STAMP.exists() and STAMP.read_text() == fingerprint()


def fingerprint() -> str:
    """The folder is part of it: a virtual environment that was moved no longer works."""
    return hashlib.sha256(REQUIREMENTS.read_bytes() + str(VENV).encode()).hexdigest()


def find_uv() -> str:
    """The machine's own uv, else a private copy, itself installed by hash."""
    installed = shutil.which("uv")
    if installed:
        return installed
    binary = INSTALLER / "bin" / "uv"
    if not binary.exists():
        run(
            sys.executable,
            "-m",
            "venv",
            "--clear",
            str(INSTALLER),
            hint=("Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"),
        )
        pip = (str(INSTALLER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "bootstrap.txt"))
    return str(binary)


def compile_translations() -> None:
    """gettext reads compiled catalogues; Babel makes them where no msgfmt is installed."""
    for source in CATALOGUES.glob("*/LC_MESSAGES/django.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            run(str(VENV / "bin" / "pybabel"), "--quiet", "compile", "-i", str(source), "-o", str(target))


def run(*command: str, hint: str = "") -> None:
    if not INSTALLER.parent.exists():
        INSTALLER.parent.mkdir()
    try:
        subprocess.run(command, check=True, cwd=str(ROOT), env=dict(os.environ, VIRTUAL_ENV=str(VENV)))
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit("\nCould not build the environment: %s\n%s" % (error, hint or free_space_hint()))


def free_space_hint() -> str:
    free = shutil.disk_usage(str(ROOT)).free
    if free < 1024**3:
        return "Only %d MB are free on this disk; about 1 GB is needed." % (free // 1024**2)
    return "The lines above say why. Once it is mended, the same command goes on from here."


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
