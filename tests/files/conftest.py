"""The stores, each of which must pass the same tests."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django import Settings

from apps.files.stores import store
from apps.files.stores.store import Store
from tests.files.servers import S3, start_moto, start_rclone


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with ExitStack() as stack:
        s3, stop = start_rclone(tmp_path_factory.mktemp("rclone"))
        stack.callback(stop)
        yield s3


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with ExitStack() as stack:
        s3, stop = start_moto(tmp_path_factory.mktemp("moto"))
        stack.callback(stop)
        yield s3


def use_s3(settings: Settings, s3: S3) -> Store:
    where = {"BACKEND": "apps.files.stores.s3.S3Store", "OPTIONS": s3.options}
    settings.STORAGES = {**settings.STORAGES, "files": where}
    return store()


@pytest.fixture(params=["disk", "rclone", "moto"])
def any_store(request: pytest.FixtureRequest, settings: Settings) -> Store:
    if request.param == "disk":
        return request.getfixturevalue("file_store")  # type: ignore[no-any-return]
    return use_s3(settings, request.getfixturevalue(request.param))
