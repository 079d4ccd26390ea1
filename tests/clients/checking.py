"""What the workers do about uploads that are complete, beside a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from apps.files.models import Upload, UploadState
from apps.files.verify import verify

SECONDS = 0.05


@contextmanager
def uploads_checked() -> Iterator[None]:
    is_over = threading.Event()

    def check() -> None:
        try:
            while not is_over.wait(SECONDS):
                complete = Upload.across_organizations.filter(state=UploadState.VERIFYING)
                for upload_id in complete.values_list("pk", flat=True):
                    verify(upload_id)
        finally:
            connection.close()

    thread = threading.Thread(target=check)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
