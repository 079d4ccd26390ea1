"""The addresses of this app under /v1/."""

from django.urls import path

from apps.files.api.files import FileLinkView, FilesView, OneFileView
from apps.files.api.policy import StoragePolicyView
from apps.files.api.uploads import (
    AbortUploadView,
    CompleteUploadView,
    OneUploadView,
    UploadPartsView,
    UploadsView,
)

urlpatterns = [
    path("storage-policy", StoragePolicyView.as_view()),
    path("files", FilesView.as_view()),
    path("files/<uuid:file_id>", OneFileView.as_view()),
    path("files/<uuid:file_id>/presigned", FileLinkView.as_view()),
    path("uploads", UploadsView.as_view()),
    path("uploads/<uuid:upload_id>", OneUploadView.as_view()),
    path("uploads/<uuid:upload_id>/parts", UploadPartsView.as_view()),
    path("uploads/<uuid:upload_id>/complete", CompleteUploadView.as_view()),
    path("uploads/<uuid:upload_id>/abort", AbortUploadView.as_view()),
]
