"""On what it was measured."""

import os
import platform
import subprocess
from pathlib import Path

import psutil

from apps.core import clock
from local.postgres import BINARIES


def describe() -> str:
    cores = len(os.sched_getaffinity(0))
    gigabytes = round(psutil.virtual_memory().total / 1024**3)
    return (
        f"{_cpu()}, {cores} cores, {gigabytes} GB, Python {platform.python_version()}, "
        f"PostgreSQL {_postgres()}, {clock.now():%-d %B %Y}"
    )


def load() -> float:
    """Of the last minute: what else this machine was busy with."""
    return os.getloadavg()[0]


def _postgres() -> str:
    ran = subprocess.run([BINARIES / "postgres", "--version"], capture_output=True, text=True, check=True)
    return ran.stdout.split()[-1]


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
