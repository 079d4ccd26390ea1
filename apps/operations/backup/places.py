"""Where backups lie: two objects each, the encrypted dump and the manifest that makes it count."""

from django.conf import settings

from apps.files.stores.s3 import S3Store
from apps.operations.backup.problem import BackupFailed

DUMP = ".dump.age"
MANIFEST = ".json"


def backup_store() -> S3Store:
    if not settings.BACKUP_S3_BUCKET:
        raise BackupFailed("Nothing says where backups lie. Set BACKUP_S3_BUCKET.")
    return S3Store(**settings.BACKUP_S3)


def prefix() -> str:
    return str(settings.BACKUP_S3_PREFIX)


def dump_key(name: str) -> str:
    return f"{prefix()}{name}{DUMP}"


def manifest_key(name: str) -> str:
    return f"{prefix()}{name}{MANIFEST}"
