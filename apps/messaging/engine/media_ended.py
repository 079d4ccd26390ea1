"""What became of a file that a person sent: in its message, and in the message's story."""

from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from apps.files import files, uploads
from apps.files.models import File, Upload, UploadWay
from apps.files.models.upload import UNFINISHED
from apps.messaging.engine.publisher import publish_soon
from apps.messaging.models import FetchState


def follow_upload(upload: Upload, file: File | None, **_kwargs: object) -> None:
    """In the transaction that ends the upload."""
    if upload.way != UploadWay.FETCHED:
        return
    if file is None:
        _end_without(upload.id, upload.error_code or "aborted", upload.error_detail)
        return
    found = {"file_id": file.id, "size": file.size, "media_type": file.media_type}
    with transaction.atomic():
        if _end(upload.id, FetchState.DONE, {**found, "file_name": file.name}, found):
            files.use(upload.organization, [file.id])


def give_up(upload_id: UUID, code: str, detail: str) -> None:
    """For good; what of it lies in the store goes."""
    upload = Upload.across_organizations.filter(pk=upload_id, state__in=UNFINISHED).first()
    if upload is not None:
        uploads.refuse(upload, code, detail)  # and so `follow_upload`
    else:
        _end_without(upload_id, code, detail)


def _end_without(upload_id: UUID, code: str, detail: str) -> None:
    _end(upload_id, FetchState.FAILED, {"error": code}, {"error": code, "detail": detail})


@transaction.atomic
def _end(upload_id: UUID, state: FetchState, media: dict[str, Any], told: dict[str, Any]) -> bool:
    """False where it had ended before."""
    with connection.cursor() as cursor:
        cursor.execute(
            _END,
            {
                "upload": upload_id,
                "state": state,
                "code": told.get("error", ""),
                "detail": told.get("detail", "")[:300],
                "media": orjson.dumps(media).decode(),
                "told": orjson.dumps(told).decode(),
            },
        )
        has_ended: bool = cursor.rowcount > 0
    publish_soon()
    return has_ended


_END = """
WITH ended AS (
    UPDATE media_fetch
       SET state = %(state)s, lease = NULL, error_code = %(code)s, error_detail = %(detail)s
     WHERE upload_id = %(upload)s AND state IN ('waiting', 'fetched')
    RETURNING message_id
), shown AS (
    UPDATE message
       SET content = jsonb_set(content, '{media}', content -> 'media' || %(media)s::jsonb)
      FROM ended
     WHERE message.id = ended.message_id
    RETURNING message.organization_id, message.id, message.conversation_id
)
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
SELECT organization_id, id, conversation_id, 'media', now(), 0, %(told)s::jsonb FROM shown
"""
