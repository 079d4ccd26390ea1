"""Files that are whole: shown, handed out, deleted."""

import pytest

from apps.accounts.models import AuditEvent
from apps.files.models import File, StoragePolicy, Upload, UploadState
from apps.files.stores import links
from apps.files.stores.store import Download, NoSuchObject, Store
from apps.files.thumbnails import make_thumbnail
from tests.cast import Api, House, as_member
from tests.files.bringing import keep, sha256
from tests.files.pictures import picture

pytestmark = pytest.mark.django_db


def test_file_tells_what_it_is(file_store: Store, owner: Api, aurora: House) -> None:
    file = keep(aurora.organization, picture(), "foto.exe")
    shown = owner.get(f"/v1/files/{file.id}").json()
    assert shown == {
        "id": str(file.id), "name": "foto.exe", "size": len(picture()), "sha256": sha256(picture()),
        "media_type": "image/png", "kind": "image", "has_thumbnail": False, "is_used": False,
        "created_at": shown["created_at"],
    }  # fmt: skip
    assert [each["id"] for each in owner.get("/v1/files").json()["data"]] == [str(file.id)]


def download_of(answer: object) -> Download:
    url = answer.json()["url"]  # type: ignore[attr-defined]
    return links.read_download(url.partition(links.OBJECTS)[2])


@pytest.mark.parametrize(
    ("content", "asked", "is_inline", "media_type"),
    [
        (picture(), "", False, "image/png"),
        (picture(), "?disposition=inline", True, "image/png"),
        (b"<html><script>1</script>", "?disposition=inline", False, "application/octet-stream"),
        (b"<svg onload=alert(1)></svg>", "?disposition=inline", False, "application/octet-stream"),
    ],
)
def test_link_never_shows_what_may_run(
    file_store: Store, owner: Api, aurora: House, content: bytes, asked: str, is_inline: bool, media_type: str
) -> None:
    file = keep(aurora.organization, content, "x.png")
    answer = owner.get(f"/v1/files/{file.id}/presigned{asked}")
    assert answer["Cache-Control"] == "no-store"
    download = download_of(answer)
    assert (download.is_inline, download.media_type, download.key) == (is_inline, media_type, file.key)


def test_link_lasts_a_quarter_of_an_hour(file_store: Store, owner: Api, aurora: House) -> None:
    file = keep(aurora.organization)
    assert download_of(owner.get(f"/v1/files/{file.id}/presigned")).seconds == 15 * 60


def test_thumbnail_is_handed_out_once_there_is_one(file_store: Store, owner: Api, aurora: House) -> None:
    file = keep(aurora.organization, picture())
    path = f"/v1/files/{file.id}/presigned?variant=thumbnail"
    assert owner.get(path).status_code == 404
    make_thumbnail(file.id)
    download = download_of(owner.get(path))
    assert (download.key, download.media_type, download.is_inline) == (file.thumbnail_key, "image/webp", True)


def test_other_organizations_file_does_not_exist(file_store: Store, aurora: House, boreal: House) -> None:
    file = keep(aurora.organization)
    stranger = as_member(boreal.owner)
    assert stranger.get(f"/v1/files/{file.id}").status_code == 404
    assert stranger.get(f"/v1/files/{file.id}/presigned").status_code == 404
    assert stranger.delete(f"/v1/files/{file.id}").status_code == 404
    assert File.across_organizations.filter(pk=file.pk).exists()


def test_viewer_downloads_and_deletes_nothing(file_store: Store, aurora: House) -> None:
    file = keep(aurora.organization)
    viewer = as_member(aurora.viewer)
    assert viewer.get(f"/v1/files/{file.id}/presigned").status_code == 200
    assert viewer.delete(f"/v1/files/{file.id}").status_code == 403


def test_deleted_file_is_gone_with_its_bytes_and_is_written_down(
    file_store: Store, owner: Api, aurora: House
) -> None:
    file = keep(aurora.organization, picture())
    make_thumbnail(file.id)
    assert owner.delete(f"/v1/files/{file.id}").status_code == 204
    assert owner.get(f"/v1/files/{file.id}").status_code == 404
    for key in (file.key, file.thumbnail_key):
        with pytest.raises(NoSuchObject):
            b"".join(file_store.read(key))
    assert StoragePolicy.objects.for_organization(aurora.organization).get().stored_bytes == 0
    assert AuditEvent.across_organizations.filter(action="file.deleted", target_id=file.id).exists()


def test_deleted_file_whose_store_was_away_is_found_by_its_upload(
    file_store: Store, owner: Api, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = keep(aurora.organization)
    monkeypatch.setattr("apps.files.files.uploads.clean_up", lambda _upload: False)
    owner.delete(f"/v1/files/{file.id}")
    upload = Upload.across_organizations.get(pk=file.id)
    assert (upload.state, upload.leaves_bytes, upload.key) == (UploadState.REMOVED, True, file.key)


def test_form_is_asked_for_where_something_else_came(owner: Api) -> None:
    answer = owner.post("/v1/files", {"file": "x"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
