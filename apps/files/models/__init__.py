from apps.files.models.file import File, Thumbnail
from apps.files.models.policy import StoragePolicy
from apps.files.models.upload import Upload, UploadState, UploadWay

__all__ = ["File", "StoragePolicy", "Thumbnail", "Upload", "UploadState", "UploadWay"]
