import json
from pathlib import Path

import pytest

from local.release_notes import NotReady, notes

CHANGELOG = """# Changelog

## Unreleased

- Later.

## 1.2.0 – 2026-12-01

### Added

- What a release says.

## 1.1.0 – 2026-11-01

- Before.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("clients/cli", "clients/js"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("pyproject.toml", "clients/cli/pyproject.toml"):
        (tmp_path / name).write_text('[project]\nversion = "1.2.0"\n')
    (tmp_path / "clients/js/package.json").write_text(json.dumps({"version": "1.2.0"}))
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_notes_are_the_section_of_the_version(folder: Path) -> None:
    assert notes("v1.2.0", folder) == "### Added\n\n- What a release says."


def test_a_preview_has_the_notes_of_what_it_previews(folder: Path) -> None:
    assert notes("v1.2.0-rc.1", folder) == notes("v1.2.0", folder)


def test_nothing_is_released_that_a_package_does_not_say(folder: Path) -> None:
    with pytest.raises(NotReady, match=r"pyproject\.toml says 1\.2\.0"):
        notes("v1.1.0", folder)


def test_nothing_is_released_that_the_changelog_is_silent_about(folder: Path) -> None:
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- All of it.\n")
    with pytest.raises(NotReady, match=r"has no section 1\.2\.0"):
        notes("v1.2.0", folder)
