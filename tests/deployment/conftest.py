from pathlib import Path

import pytest

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
