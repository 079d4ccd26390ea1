"""docs/configuration.md against what is read: every setting with its default, and nothing that nobody reads."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.places import Places
from project.env import Env
from tests.project.test_settings import PRODUCTION, ROOT

PAGE = ROOT / "docs" / "configuration.md"
# Read where another one is missing.
TAKEN_FROM = {"BROKER_URL": "`REDIS_URL`", "S3_PUBLIC_URL": "`S3_ENDPOINT_URL`"}
# By tests, which know no settings.
READ_ELSEWHERE = {"CHROMIUM", "PROMTOOL"}
PRINT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
from project.env import env
print(json.dumps({name: getattr(default, "text", default) for name, default in env.defaults.items()}))
"""


def read_by(settings: str, **variables: str) -> dict[str, object]:
    environment = {"PATH": os.environ["PATH"], **PRODUCTION, "DJANGO_SETTINGS_MODULE": settings, **variables}
    ran = subprocess.run(
        [sys.executable, "-c", PRINT, settings],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, object] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def defaults() -> dict[str, object]:
    # Some are read only where a bucket is named.
    production = read_by("project.settings.production", S3_BUCKET="files", FLOWER_URL="")
    return read_by("project.settings.dev") | production


def rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    assert lines, heading
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def documented(heading: str) -> dict[str, str]:
    """What the table says of each variable that it names, in its second column."""
    found: dict[str, str] = {}
    for names, second, *_rest in rows(heading):
        variables = re.findall(r"`([A-Z][A-Z0-9_]+)`", names)
        words = re.sub(r" \([^)]*\)", "", second).split(", ")
        assert len(words) == len(variables), (
            f"{PAGE.name}: {names} needs {len(variables)} defaults, and has: {second}"
        )
        assert not found.keys() & set(variables), f"{PAGE.name} names twice: {names}"
        found |= dict(zip(variables, words, strict=True))
    return found


def in_words(default: object) -> str:
    if default in ("", [], None) or default == ["", 0]:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return str(default)
    return f"`{str(default).removeprefix(f'{ROOT}/')}`"


def test_what_may_be_set_is_documented_with_its_default_and_is_read(defaults: dict[str, object]) -> None:
    expected = {
        name: TAKEN_FROM.get(name, in_words(default)) for name, default in defaults.items() if default is not None
    }
    said = {name: word for name, word in documented("May be set").items() if name not in READ_ELSEWHERE}
    assert said == expected


def test_what_is_needed_is_documented_and_is_read(defaults: dict[str, object]) -> None:
    names = {name for row in rows("Needed in production") for name in re.findall(r"^`([A-Z0-9_]+)`$", row[0])}
    assert names == {name for name, default in defaults.items() if default is None}


def test_what_moves_the_demo_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RECADO_HOME", *Places.from_environment().ports):
        monkeypatch.delenv(name, raising=False)
    said = documented("The demo")
    assert said.pop("RECADO_HOME").startswith("`.recado`")
    assert said == {name: str(port) for name, port in Places.from_environment().ports.items()}


def test_a_reader_remembers_what_it_was_asked_for() -> None:
    env = Env({"N": "5"})
    env.integer("N", 3)
    env.text("KEY")
    assert env.defaults == {"N": 3, "KEY": None}


def test_code_reads_the_environment_through_its_reader() -> None:
    """What is read past it is checked by nobody, and documented by chance."""
    past = re.compile(r"os\.(?:getenv|environ(?:\.get)?)[\[(]\s*\"([A-Z_]+)\"(?!\]\s*=\s)")
    sources = [path for folder in ("apps", "project") for path in Path(ROOT, folder).rglob("*.py")]
    read = {
        (path.relative_to(ROOT).as_posix(), name) for path in sources for name in past.findall(path.read_text())
    }
    assert {(path, name) for path, name in read if not path.startswith("project/settings/test")} == set()
