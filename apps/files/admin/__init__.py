from apps.files.admin.file import FileAdmin
from apps.files.admin.policy import StoragePolicyAdmin
from apps.files.admin.upload import UploadAdmin

__all__ = ["FileAdmin", "StoragePolicyAdmin", "UploadAdmin"]
