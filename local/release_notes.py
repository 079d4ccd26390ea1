"""The changelog's section of a version, for its release: `python -m local.release_notes v1.2.0`.

Nothing is released under a version that a package does not have, or that the changelog says nothing about.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

from local.places import ROOT


class NotReady(Exception):
    """What keeps a version from being released. The message says what to do."""


def main(arguments: list[str]) -> int:
    try:
        print(notes(arguments[0], ROOT))
    except NotReady as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def notes(tag: str, folder: Path) -> str:
    version = tag.removeprefix("v")
    # What comes behind a dash is a preview of the version before it.
    number = version.partition("-")[0]
    others = {name: found for name, found in versions(folder).items() if found not in {version, number}}
    if others:
        listed = ", ".join(f"{name} says {found}" for name, found in others.items())
        raise NotReady(f"The tag is {tag}, but {listed}. Change these, or the tag.")
    text = (folder / "CHANGELOG.md").read_text()
    for wanted in (version, number):
        found = re.search(
            rf"^## \[?{re.escape(wanted)}\]?(?: [^\n]*)?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
        )
        if found and found[1].strip():
            return found[1].strip()
    raise NotReady(
        f"CHANGELOG.md has no section {version}. Give what is under Unreleased this heading and today's date."
    )


def versions(folder: Path) -> dict[str, str]:
    """Of everything that carries one."""
    found: dict[str, str] = {}
    for name in ("pyproject.toml", "clients/cli/pyproject.toml"):
        found[name] = tomllib.loads((folder / name).read_text())["project"]["version"]
    found["clients/js/package.json"] = json.loads((folder / "clients/js/package.json").read_text())["version"]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
