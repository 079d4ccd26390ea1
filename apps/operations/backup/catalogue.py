"""The backups that count: those with a manifest."""

from apps.files.stores.s3 import S3Store
from apps.files.stores.store import NoSuchObject
from apps.operations.backup import places
from apps.operations.backup.manifest import LARGEST, Manifest
from apps.operations.backup.problem import BackupFailed

NEWEST = "latest"


def names(store: S3Store) -> list[str]:
    """The oldest first: they are named after their time."""
    start = len(places.prefix())
    found = (key[start:] for key in store.keys(places.prefix()) if key.endswith(places.MANIFEST))
    # A folder below is somebody else's.
    return sorted(name.removesuffix(places.MANIFEST) for name in found if "/" not in name)


def manifest(store: S3Store, name: str, *, key_may_be_gone: bool = False) -> Manifest:
    if name == NEWEST:
        known = names(store)
        if not known:
            raise BackupFailed(f"There is no backup under {places.prefix()}.")
        name = known[-1]
    try:
        content = b"".join(store.read(places.manifest_key(name), 0, LARGEST))
    except NoSuchObject as error:
        raise BackupFailed(f"There is no backup {name!r}. `list_backups` names those there are.") from error
    found = Manifest.read(content, key_may_be_gone=key_may_be_gone)
    if found.name != name:
        raise BackupFailed(f"The manifest of {name} is of another backup, {found.name}. Do not restore from it.")
    return found
