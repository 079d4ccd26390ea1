"""Files and uploads as tests need them, made as the product makes them."""

import hashlib
import urllib.error
import urllib.request
from typing import Any

from apps.accounts.models import Organization
from apps.files import uploads
from apps.files.models import File, Upload, UploadState, UploadWay
from apps.files.stores import store
from apps.files.verify import verify
from tests.cast import Api


def keep(organization: Organization, content: bytes = b"hello", name: str = "ola.txt") -> File:
    """A file that came through the server."""
    upload = uploads.begin(organization, UploadWay.STREAMED, name=name)
    store().put(upload.key, content)
    digest = hashlib.sha256(content).hexdigest()
    file = uploads.become_file(upload, size=len(content), sha256=digest, head=content[:8192])
    assert file is not None
    return file


def put(url: str, content: bytes, **headers: str) -> int:
    """As a client does that knows nothing but the link."""
    headers = {"Content-Type": "application/octet-stream", **headers}
    request = urllib.request.Request(url, content, headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def get(url: str, **headers: str) -> tuple[int, bytes, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read(), refused.headers


def bring_parts(upload_id: str, content: bytes, only: list[int] | None = None) -> None:
    """Into the store, as if by its links."""
    upload = Upload.across_organizations.get(pk=upload_id)
    for number in only or range(1, uploads.part_count(upload) + 1):
        at = (number - 1) * upload.part_size
        store().put_part(upload.key, upload.store_upload, number, content[at : at + upload.part_size])


def complete(api: Api, upload_id: str, **checksums: str) -> Upload:
    """And what the worker does after it."""
    answer = api.post(f"/v1/uploads/{upload_id}/complete", checksums)
    assert answer.status_code == 202, answer.content
    assert answer.json()["state"] == UploadState.VERIFYING
    upload = Upload.across_organizations.get(pk=upload_id)
    verify(upload.id)
    upload.refresh_from_db()
    return upload


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
