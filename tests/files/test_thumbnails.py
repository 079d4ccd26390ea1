import io

import pytest
from PIL import Image

from apps.core import clock
from apps.files.models import File, Thumbnail
from apps.files.stores.store import NoSuchObject, Store
from apps.files.thumbnails import EDGE, make_thumbnail
from tests.cast import House
from tests.files.pictures import picture

pytestmark = pytest.mark.django_db


def kept(house: House, store: Store, content: bytes, media_type: str) -> File:
    file = File.across_organizations.create(
        organization=house.organization, name="x", size=len(content), sha256="0" * 64, media_type=media_type,
        thumbnail=Thumbnail.WANTED, created_at=clock.now(),
    )  # fmt: skip
    store.put(file.key, content)
    return file


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_thumbnail_is_small_and_a_webp(aurora: House, file_store: Store, kind: str) -> None:
    file = kept(aurora, file_store, picture(kind, (2000, 1000)), f"image/{kind.lower()}")
    make_thumbnail(file.id)
    file.refresh_from_db()
    assert file.thumbnail == Thumbnail.MADE
    with Image.open(io.BytesIO(b"".join(file_store.read(file.thumbnail_key)))) as made:
        assert (made.format, made.size) == ("WEBP", (EDGE, EDGE // 2))


def test_thumbnail_tells_nothing_of_the_place(aurora: House, file_store: Store) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Ana"
    exif[0x0112] = 6  # lies on its side
    file = kept(aurora, file_store, picture("JPEG", (200, 100), exif=exif), "image/jpeg")
    make_thumbnail(file.id)
    with Image.open(io.BytesIO(b"".join(file_store.read(file.thumbnail_key)))) as made:
        assert made.size == (100, 200)
        assert not made.getexif()


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\nnothing more",
        picture("PNG")[:60],
        picture("GIF"),  # another image than its type says
        picture("PNG", (9000, 9000)),  # a few kilobytes that unpack to hundreds of megabytes
    ],
    ids=["head", "cut", "other", "bomb"],
)
def test_thumbnail_is_not_made_of_what_is_no_image(aurora: House, file_store: Store, content: bytes) -> None:
    file = kept(aurora, file_store, content, "image/png")
    make_thumbnail(file.id)
    file.refresh_from_db()
    assert file.thumbnail == Thumbnail.NONE


def test_thumbnail_of_a_file_that_went_leaves_nothing(
    aurora: House, file_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = kept(aurora, file_store, picture(), "image/png")
    content = b"".join(file_store.read(file.key))

    def read_and_delete(_key: str) -> list[bytes]:
        File.across_organizations.filter(pk=file.pk).delete()
        return [content]

    monkeypatch.setattr(file_store, "read", read_and_delete)
    monkeypatch.setattr("apps.files.thumbnails.store", lambda: file_store)
    make_thumbnail(file.id)
    monkeypatch.undo()
    with pytest.raises(NoSuchObject):
        b"".join(file_store.read(file.thumbnail_key))
