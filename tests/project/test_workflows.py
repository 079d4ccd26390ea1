"""The workflows cannot be run here. What can be known without running them is held here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.places import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
# What a job makes for itself, or reads from the environment that it built.
MADE = (".venv", "dist", "site", "openapi.json", "notes.md", "demo.env")
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
LOOKS_LIKE_A_PATH = re.compile(
    r"^[\w.@-]+(?:/[\w.*@-]+)+$|^[\w.-]+\.(?:ya?ml|toml|txt|md|json|sh|py)$|^Dockerfile$"
)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def steps_of(path: Path) -> Iterator[dict[str, Any]]:
    document = read(path)
    if "runs" in document:
        yield from document["runs"]["steps"]
    for job in document.get("jobs", {}).values():
        yield from job["steps"]


def commands() -> Iterator[tuple[str, str]]:
    for path in [*WORKFLOWS, *ACTIONS]:
        for step in steps_of(path):
            if "run" in step:
                yield path.name, step["run"]


def test_there_are_workflows() -> None:
    assert {"ci.yml", "long.yml"} <= {path.name for path in WORKFLOWS}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_may_do_little_and_for_a_limited_time(path: Path) -> None:
    document = read(path)
    assert document["permissions"] == {}, "a workflow grants nothing; each job says what it needs"
    assert document["concurrency"]["group"]
    for name, job in document["jobs"].items():
        assert isinstance(job.get("permissions"), dict), f"{name} needs permissions"
        assert 0 < job.get("timeout-minutes", 0) <= 240, f"{name} needs timeout-minutes"
        assert re.fullmatch(r"ubuntu-\d\d\.\d\d", job["runs-on"]), f"{name} runs on a machine without a version"


def test_only_jobs_that_say_so_may_write() -> None:
    writing = {
        (path.name, name, right)
        for path in WORKFLOWS
        for name, job in read(path)["jobs"].items()
        for right, level in job["permissions"].items()
        if level == "write"
    }
    assert {file for file, _job, _right in writing} <= {"codeql.yml", "dependencies.yml", "release.yml"}


def test_actions_of_others_are_pinned_by_commit_with_their_version_beside_it() -> None:
    lines = [
        (path.name, line.strip())
        for path in [*WORKFLOWS, *ACTIONS]
        for line in path.read_text().splitlines()
        if re.match(r"\s*(?:- )?uses:", line)
    ]
    assert lines
    pins: dict[str, set[str]] = {}
    for file, line in lines:
        used, _, version = line.split("uses:", 1)[1].strip().partition(" # ")
        if used.startswith("./"):
            assert (ROOT / used / "action.yml").is_file(), f"{file}: {line}"
            continue
        assert PINNED.match(used), f"{file}: {line}"
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), f"{file}: {line}"
        pins.setdefault(used.partition("@")[0], set()).add(f"{used.partition('@')[2]} {version}")
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def test_nothing_that_others_write_is_put_into_a_script() -> None:
    """A title of a pull request would be run as a command; what is needed comes as a variable."""
    assert [(file, run) for file, run in commands() if "${{" in run] == []


def test_checkouts_keep_no_token_unless_they_push() -> None:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@") and "contents" in job["permissions"]:
                    keeps = step.get("with", {}).get("persist-credentials", True)
                    assert keeps is False or job["permissions"]["contents"] == "write", f"{path.name}: {name}"


def test_every_make_target_exists() -> None:
    named = {(file, target) for file, run in commands() for target in re.findall(r"(?<![\w-])make ([a-z-]+)", run)}
    assert named
    assert [pair for pair in sorted(named) if pair[1] not in TARGETS] == []


def test_every_path_exists() -> None:
    named = set()
    for path in [*WORKFLOWS, *ACTIONS]:
        for step in steps_of(path):
            values = [value for key, value in step.get("with", {}).items() if key in {"path", "file"}]
            for word in " ".join([step.get("run", ""), *map(str, values)]).split():
                place = word.strip("\"'").removeprefix("./")
                if LOOKS_LIKE_A_PATH.match(place):
                    named.add((path.name, place))
    assert named
    missing = [pair for pair in sorted(named) if not pair[1].startswith(MADE) and not any(ROOT.glob(pair[1]))]
    assert missing == []


def test_every_module_that_is_run_exists() -> None:
    modules = {
        module
        for _file, run in commands()
        for module in re.findall(r"-m ((?:local|project|bench|chaos)[\w.]*)", run)
    }
    assert [name for name in sorted(modules) if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []


def test_dependabot_looks_where_something_is() -> None:
    looks_for = {
        "github-actions": ("action.yml", ".github/workflows"),
        "npm": ("package-lock.json",),
        "pip": ("pyproject.toml",),
        "docker": ("Dockerfile",),
        "docker-compose": ("docker-compose.yml",),
    }
    for update in read(GITHUB / "dependabot.yml")["updates"]:
        for folder in update.get("directories") or [update["directory"]]:
            found = [
                name
                for name in looks_for[update["package-ecosystem"]]
                if (ROOT / folder.strip("/") / name).exists()
            ]
            assert found, update
        assert update["groups"], update
