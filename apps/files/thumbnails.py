"""Small pictures of images, for conversations: made once, by a worker, from bytes that are not to be trusted."""

import io
from uuid import UUID

import structlog
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.files.models import File, Thumbnail
from apps.files.stores import store
from apps.files.stores.store import NoSuchObject

logger = structlog.get_logger(__name__)

EDGE = 480
LARGEST_BYTES = 32 * 1024 * 1024
# What an image unpacks to, before anything is unpacked.
MOST_PIXELS = 40_000_000
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}


def can_have_one(media_type: str, size: int) -> bool:
    return media_type in FORMATS and 0 < size <= LARGEST_BYTES


def make_thumbnail(file_id: UUID) -> None:
    """Twice does no harm: the second is the same."""
    file = File.across_organizations.filter(pk=file_id, thumbnail=Thumbnail.WANTED).first()
    if file is None:
        return
    made = Thumbnail.NONE
    try:
        picture = small(b"".join(store().read(file.key)), file.media_type)
    except NoSuchObject:
        return
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        # Not an image that can be shown, whatever its first bytes say.
        logger.info("thumbnail_not_made", file_id=str(file_id), reason=type(error).__name__)
    else:
        store().put(file.thumbnail_key, picture)
        made = Thumbnail.MADE
    if not File.across_organizations.filter(pk=file_id).update(thumbnail=made):
        store().remove(file.thumbnail_key)  # the file went while it was made


def small(content: bytes, media_type: str) -> bytes:
    """As WebP, upright, and without what the camera wrote of where it was."""
    with Image.open(io.BytesIO(content), formats=[FORMATS[media_type]]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        image.draft("RGB", (2 * EDGE, 2 * EDGE))
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((EDGE, EDGE))
        bare = upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")
        written = io.BytesIO()
        bare.save(written, "WEBP", quality=80, exif=b"", icc_profile=b"")
        return written.getvalue()
