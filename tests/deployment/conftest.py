from pathlib import Path
from typing import Any

import pytest

from local import compose_env
from tests.deployment import compose
from tests.deployment.kubernetes import CHOICES, Manifests, copy_of_k8s, render

OVERLAYS = ("demo", "production", *CHOICES)


@pytest.fixture(scope="session")
def k8s(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder that may be written to."""
    return copy_of_k8s(tmp_path_factory.mktemp("kubernetes"))


@pytest.fixture(scope="session")
def rendered(k8s: Path) -> dict[str, Manifests]:
    return {overlay: render(k8s / "overlays" / overlay) for overlay in OVERLAYS}


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest, rendered: dict[str, Manifests]) -> Manifests:
    """Of each overlay in turn."""
    return rendered[request.param]


@pytest.fixture
def production(rendered: dict[str, Manifests]) -> Manifests:
    return rendered["production"]


@pytest.fixture(scope="session")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As whoever installs Recado makes it."""
    path = tmp_path_factory.mktemp("compose") / "production.env"
    addresses = ["--url", "https://recado.example", "--files-url", "https://files.recado.example"]
    mail = ["--mail-url", "smtp+starttls://user:password@mail.example:587"]
    compose_env.main([*addresses, *mail, "--file", str(path)])
    return path


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compose") / "demo.env"
    compose_env.main(["--demo", "--observability", "--file", str(path)])
    return path


@pytest.fixture(scope="session")
def whole(env_file: Path) -> dict[str, Any]:
    """Everything, of every profile."""
    return compose.rendered(env_file, *compose.PROFILES)


@pytest.fixture(scope="session")
def services(whole: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = whole["services"]
    return found
