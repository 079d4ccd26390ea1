"""A storage of this folder's own, a pair of keys, and settings that name them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pyrage
import pytest
from pytest_django import Settings

from apps.files.stores.s3 import S3Store
from apps.operations.backup.places import backup_store
from tests.files.servers import S3, start_moto


@pytest.fixture(scope="session")
def _moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with ExitStack() as stack:
        s3, stop = start_moto(tmp_path_factory.mktemp("moto"))
        stack.callback(stop)
        yield s3


@pytest.fixture(scope="session")
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def s3(_moto: S3, settings: Settings, identity: pyrage.x25519.Identity) -> S3:
    """Of the machine that makes backups: it has no secret key."""
    settings.BACKUP_S3, settings.BACKUP_S3_BUCKET = _moto.options, _moto.options["bucket_name"]
    settings.BACKUP_S3_PREFIX = "recado/"
    settings.BACKUP_RECIPIENT, settings.BACKUP_IDENTITY = [str(identity.to_public())], ""
    settings.BACKUP_KEEP_DAILY, settings.BACKUP_KEEP_WEEKLY, settings.BACKUP_KEEP_MONTHLY = 7, 5, 12
    for key in _moto.objects():
        _moto.client().delete_object(Bucket=settings.BACKUP_S3_BUCKET, Key=key)
    return _moto


@pytest.fixture
def storage(s3: S3) -> S3Store:
    return backup_store()
