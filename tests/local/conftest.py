"""A demo that is gone after its test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.running_demo import Demo
from tests.registration.understanding.fake_ollama import FakeOllama, model, reads


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Demo]:
    tmp_path.chmod(0o755)
    one = Demo(tmp_path / "home")
    yield one
    if one.process and one.process.poll() is None:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    """It is never down: whoever else talks in the demo would have it left alone for a while."""
    with model(reads("other")) as fake:
        yield fake
