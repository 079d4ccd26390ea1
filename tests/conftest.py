"""Fixtures that tests of several folders share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase
from pytest_django import Settings

from apps.core.redis import redis_client
from apps.files.stores import store
from apps.files.stores.store import Store
from tests.cast import Api, House, as_member, open_house
from tests.emptying import empty_tables
from tests.server import Server, run_server

# What takes longest, and mostly waits: begun first, so that no worker is left alone with it in the end.
_FIRST = (
    "tests/chaos/",
    "tests/project/test_schema.py",
    "tests/local/test_demo.py",
    "tests/live/",
    "tests/operations/day/",
    "tests/clients/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return next((n for n, start in enumerate(_FIRST) if item.nodeid.startswith(start)), len(_FIRST))

    items.sort(key=turn)


@pytest.fixture(autouse=True)
def _forgetful_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit, cache or counter of one test reaches the next, and no failure that was only played."""
    monkeypatch.setattr("apps.core.redis._left_alone_until", 0.0)
    redis_client().flushdb()


@pytest.fixture(autouse=True, scope="session")
def _quickly_emptied() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty_tables())
        yield


@pytest.fixture
def file_store(tmp_path: Path, settings: Settings) -> Store:
    """A local disk of this test's own."""
    settings.FILES_FOLDER = str(tmp_path / "files")
    disk = {"BACKEND": "apps.files.stores.disk.DiskStore", "OPTIONS": {"location": settings.FILES_FOLDER}}
    settings.STORAGES = {**settings.STORAGES, "files": disk}
    return store()


@pytest.fixture
def aurora(db: None) -> House:
    return open_house("Padaria Aurora", "aurora")


@pytest.fixture
def boreal(db: None) -> House:
    return open_house("Livraria Boreal", "boreal")


@pytest.fixture
def owner(aurora: House) -> Api:
    return as_member(aurora.owner)


@pytest.fixture(scope="session")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application behind its real web server, over this worker's own database.

    A test that uses it needs `django_db(transaction=True)`: the server sees only what is committed.
    """
    with run_server(tmp_path_factory.mktemp("server")) as server:
        yield server
