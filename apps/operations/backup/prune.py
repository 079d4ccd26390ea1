"""Forgets backups that no policy keeps, and what runs that broke off have left."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from apps.core import clock
from apps.files.stores.s3 import S3Store
from apps.operations.backup import catalogue, places
from apps.operations.backup.policy import Policy, kept
from apps.operations.backup.problem import BackupFailed

# No run takes so long; what is younger may be at work, in another database.
_ABANDONED = timedelta(days=2)
# How a name begins.
TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Pruned:
    backups: list[str]
    # With a manifest that no key of ours has sealed: they count for nothing, and stay.
    strangers: list[str]
    # Dumps without a manifest, and uploads that nobody ended.
    leftovers: int


def prune(store: S3Store) -> Pruned:
    """Only what lies directly under the prefix and is named as we name things."""
    policy = Policy(settings.BACKUP_KEEP_DAILY, settings.BACKUP_KEEP_WEEKLY, settings.BACKUP_KEEP_MONTHLY)
    times, strangers = _ours(store)
    staying = kept(times.values(), policy)
    going = [name for name, at in times.items() if at not in staying]
    for name in going:
        # The manifest first: half a removal leaves nothing that looks like a backup.
        store.remove(places.manifest_key(name))
        store.remove(places.dump_key(name))
    return Pruned(going, strangers, _remove_leftovers(store, set(times).union(strangers) - set(going)))


def _ours(store: S3Store) -> tuple[dict[str, datetime], list[str]]:
    """Whoever reaches the storage can name a file as they like, and another installation may share it."""
    times: dict[str, datetime] = {}
    strangers = []
    for name in catalogue.names(store):
        if taken_at(name) is None:
            continue
        try:
            times[name] = catalogue.manifest(store, name).taken_at
        except BackupFailed:
            strangers.append(name)
    return times, strangers


def taken_at(name: str) -> datetime | None:
    """None is of a name that we did not give."""
    try:
        return datetime.strptime(name.partition("-")[0], TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _remove_leftovers(store: S3Store, counting: set[str]) -> int:
    before, removed = clock.now() - _ABANDONED, 0
    for key, upload, begun_at in list(store.uploads(places.prefix())):
        if begun_at < before and _name_of(key) is not None:
            store.abort(key, upload)
            removed += 1
    for key in list(store.keys(places.prefix())):
        name = _name_of(key)
        if name is not None and name not in counting and (at := taken_at(name)) is not None and at < before:
            store.remove(key)
            removed += 1
    return removed


def _name_of(key: str) -> str | None:
    name = key.removeprefix(places.prefix())
    if "/" in name or not name.endswith(places.DUMP):
        return None
    name = name.removesuffix(places.DUMP)
    return name if taken_at(name) is not None else None
