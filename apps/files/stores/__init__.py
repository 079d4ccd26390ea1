"""Where the bytes of files lie: in an S3, or on a local disk where no S3 is wanted. Both keep one contract."""

from typing import cast

from django.core.files.storage import storages

from apps.files.stores.store import Store


def store() -> Store:
    """The one that this installation has."""
    return cast("Store", storages["files"])
