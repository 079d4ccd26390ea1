"""What of files is served in front of Django, whose handler would keep a whole body before any view sees it."""

from apps.core.asgi import Application
from apps.files.disk_service import DiskService
from apps.files.intake.application import FileIntake
from apps.files.stores import store
from apps.files.stores.disk import DiskStore


def with_files(application: Application) -> Application:
    served: Application = FileIntake(application)
    where = store()
    return DiskService(served, where) if isinstance(where, DiskStore) else served
