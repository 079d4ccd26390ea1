"""The command line is installed on its own; here it is imported from where it lies."""

import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.server import Server

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "clients" / "cli" / "src"))


@pytest.fixture
def server_store(server: Server, settings: Settings) -> None:
    """The same local disk for the test as for the server."""
    disk = {"BACKEND": "apps.files.stores.disk.DiskStore", "OPTIONS": {"location": str(server.files)}}
    settings.STORAGES = {**settings.STORAGES, "files": disk}
