"""Any S3: AWS, MinIO, R2, or the one of the demo."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from apps.core import clock
from apps.files.names import disposition
from apps.files.stores.store import (
    READ_BYTES,
    BadParts,
    Bytes,
    Download,
    NoSuchObject,
    NoSuchUpload,
    Part,
    SignedPart,
    Store,
    StoreFull,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_SECONDS = 5
# For one answer, or one piece of it.
READ_SECONDS = 30
# With one call in ten failing, of a thousand parts one fails for good in a hundred uploads; waits grow in between.
ATTEMPTS = 5
CONNECTIONS = 32

# By the words in which an S3 says no.
_MISSING = {"NoSuchKey", "404", "NotFound"}
_ENDED = {"NoSuchUpload"}
_BAD = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "BadDigest", "InvalidRequest"}
_BEHIND_THE_END = {"InvalidRange", "416"}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"}


class S3Store(S3Storage, Store):  # type: ignore[misc]  # published without types
    """django-storages holds the configuration; parts and links are ours."""

    def __init__(self, public_endpoint_url: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        # Where clients reach it, if not where we do.
        self._public_endpoint_url = public_endpoint_url or settings.get("endpoint_url")
        self._making = Lock()

    @cached_property
    def _client(self) -> "S3Client":
        return self._client_at(self.endpoint_url)

    @cached_property
    def _signer(self) -> "S3Client":
        return self._client_at(self._public_endpoint_url)

    def _client_at(self, endpoint_url: str | None) -> "S3Client":
        """One for all threads: each would take megabytes, and connections of its own."""
        config = Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=CONNECTIONS,
            # What goes over the network is hashed by us, once; not every S3 knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": self.addressing_style, "payload_signing_enabled": False},
        )
        with self._making:
            session = boto3.Session(self.access_key, self.secret_key, region_name=self.region_name)
            return session.client("s3", endpoint_url=endpoint_url, config=config)

    def put(self, key: str, content: Bytes) -> None:
        with _told():
            self._client.put_object(Bucket=self.bucket_name, Key=key, Body=cast("Any", content))

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        if stop is not None and stop <= start:
            return
        whole = start == 0 and stop is None
        wanted: dict[str, Any] = {} if whole else {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        with _told():
            try:
                answer: Any = self._client.get_object(Bucket=self.bucket_name, Key=key, **wanted)
            except ClientError as error:
                if _code_of(error) in _BEHIND_THE_END:
                    return
                raise
            # Whatever its status, which is not always 206: without this header it is the whole.
            skip = 0 if "ContentRange" in answer else start
            left = None if stop is None else stop - start
            with answer["Body"] as body:
                while skip:
                    passed = len(body.read(min(skip, READ_BYTES)))
                    if not passed:
                        return
                    skip -= passed
                while left is None or left > 0:
                    piece = body.read(READ_BYTES if left is None else min(left, READ_BYTES))
                    if not piece:
                        return
                    left = None if left is None else left - len(piece)
                    yield piece

    def remove(self, key: str) -> None:
        with _told(), suppress(NoSuchObject):
            self._client.delete_object(Bucket=self.bucket_name, Key=key)

    def begin(self, key: str) -> str:
        with _told():
            return self._client.create_multipart_upload(Bucket=self.bucket_name, Key=key)["UploadId"]

    def put_part(self, key: str, upload: str, number: int, content: Bytes) -> Part:
        with _told():
            answer = self._client.upload_part(
                Bucket=self.bucket_name,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=cast("Any", content),
            )
            return Part(number, len(content), answer["ETag"])

    def parts(self, key: str, upload: str) -> list[Part]:
        with _told():
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self.bucket_name, Key=key, UploadId=upload
            )
            found = [
                Part(part["PartNumber"], part["Size"], part["ETag"])
                for page in pages
                for part in page.get("Parts", ())
            ]
        return sorted(found, key=lambda part: part.number)

    def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with _told():
            self._client.complete_multipart_upload(
                Bucket=self.bucket_name, Key=key, UploadId=upload, MultipartUpload=cast("Any", {"Parts": named})
            )

    def abort(self, key: str, upload: str) -> None:
        with suppress(NoSuchUpload), _told():
            self._client.abort_multipart_upload(Bucket=self.bucket_name, Key=key, UploadId=upload)

    def abort_all(self, key: str) -> None:
        with _told():
            found = self._client.list_multipart_uploads(Bucket=self.bucket_name, Prefix=key)
        for upload in found.get("Uploads", ()):
            if upload["Key"] == key:
                self.abort(key, upload["UploadId"])

    def keys(self, prefix: str) -> Iterator[str]:
        with _told():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=prefix)
            for page in pages:
                yield from (found["Key"] for found in page.get("Contents", ()))

    def uploads(self, prefix: str) -> Iterator[tuple[str, str, datetime]]:
        """Those in parts that nobody has ended: key, name, and since when."""
        with _told():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket_name, Prefix=prefix
            )
            for page in pages:
                yield from ((each["Key"], each["UploadId"], each["Initiated"]) for each in page.get("Uploads", ()))

    def sign_part(self, key: str, upload: str, number: int, size: int, seconds: int) -> SignedPart:
        expires_at = clock.now() + timedelta(seconds=seconds)
        url = self._signer.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self.bucket_name,
                "Key": key,
                "UploadId": upload,
                "PartNumber": number,
                # Part of what is signed: no other length is taken.
                "ContentLength": size,
            },
            ExpiresIn=seconds,
        )
        return SignedPart(number, size, url, expires_at)

    def sign_download(self, download: Download) -> str:
        return self._signer.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket_name,
                "Key": download.key,
                "ResponseContentType": download.media_type,
                "ResponseContentDisposition": disposition(download.file_name, is_inline=download.is_inline),
            },
            ExpiresIn=download.seconds,
        )


def _code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told() -> Iterator[None]:
    """What went wrong, in the words of the contract: no address, no key, no signature."""
    try:
        yield
    except ClientError as error:
        code = _code_of(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _ENDED:
            raise NoSuchUpload("The storage knows no such upload.") from error
        if code in _MISSING:
            raise NoSuchObject("The storage has no such object.") from error
        if code in _FULL or status == 507:
            raise StoreFull("The storage is full.") from error
        if code in _BAD:
            raise BadParts(f"The storage refuses the parts ({code}).") from error
        raise StoreUnavailable(f"The storage answers {code or status}.") from error
    except (BotoCoreError, OSError) as error:
        raise StoreUnavailable(f"The storage does not answer ({type(error).__name__}).") from error
