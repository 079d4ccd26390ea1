"""The .env that is made for compose: complete, its owner's alone, and never written over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import compose_env
from tests.deployment.compose import REQUIRED, ROOT, rendered, variables

ADDRESSES = [
    "--url",
    "https://recado.example",
    "--files-url",
    "https://files.example",
    "--mail-url",
    "smtp://mail",
]


def test_it_holds_every_variable_that_compose_demands(env_file: Path) -> None:
    given = {line.partition("=")[0] for line in env_file.read_text().splitlines()}
    assert given >= REQUIRED


def test_it_is_its_owners_alone(env_file: Path) -> None:
    assert env_file.stat().st_mode & 0o777 == 0o600


def test_one_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=ours\n")
    with pytest.raises(SystemExit, match="stays as it is"):
        compose_env.main([*ADDRESSES, "--file", str(path)])
    assert path.read_text() == "SECRET_KEY=ours\n"


def test_no_two_are_the_same() -> None:
    first, second = compose_env.secret_values(), compose_env.secret_values()
    assert not {name for name in first if first[name] == second[name]}


def test_what_compose_could_not_read_back_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="MAIL_URL"):
        compose_env.main([*ADDRESSES[:-1], "smtp://it's", "--file", str(tmp_path / ".env")])
    assert not (tmp_path / ".env").exists()


def test_what_it_holds_arrives_unchanged(tmp_path: Path) -> None:
    odd = "smtp://user:p$a${s}s%23@mail.example:25"
    compose_env.main([*ADDRESSES[:-1], odd, "--file", str(tmp_path / ".env")])
    web = rendered(tmp_path / ".env")["services"]["web"]
    # Compose doubles what it would otherwise read as a variable of its own.
    assert variables(web)["MAIL_URL"].replace("$$", "$") == odd


@pytest.mark.parametrize("kind", ["env_file", "demo_file"])
def test_settings_take_it(kind: str, request: pytest.FixtureRequest) -> None:
    given = variables(rendered(request.getfixturevalue(kind))["services"]["web"])
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import {given['DJANGO_SETTINGS_MODULE']}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
