"""Direct uploads: begun, brought in parts, resumed, held against what was said, given up."""

import hashlib
import os
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from apps.files import limits, verify
from apps.files.models import File, StoragePolicy, Thumbnail, Upload, UploadState
from apps.files.reading_through import Found, read_through
from apps.files.stores.store import NoSuchObject, NoSuchUpload, Store, StoreUnavailable
from tests.cast import Api, House, as_member
from tests.files.bringing import bring_parts, complete, keep, sha256
from tests.files.pictures import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """As small as an S3 takes them."""
    size = 5 * 1024 * 1024
    monkeypatch.setattr("apps.files.uploads.PART_BYTES", size)
    return size


def begin(api: Api, content: bytes, name: str = "filme.bin") -> str:
    answer = api.post("/v1/uploads", {"name": name, "size": len(content)})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def nothing_is_kept(store: Store, upload: Upload) -> bool:
    with pytest.raises(NoSuchObject):
        b"".join(store.read(upload.key))
    with pytest.raises(NoSuchUpload):
        store.parts(upload.key, upload.store_upload)
    return True


def test_upload_becomes_a_file_once_it_is_what_was_said(any_store: Store, owner: Api, small_parts: int) -> None:
    content = os.urandom(small_parts + 1000)
    upload_id = begin(owner, content)
    bring_parts(upload_id, content)
    told = owner.get(f"/v1/uploads/{upload_id}").json()
    assert (told["state"], told["received"], told["part_count"]) == ("receiving", len(content), 2)
    upload = complete(owner, upload_id, sha256=sha256(content))
    assert upload.state == UploadState.READY
    file = owner.get(f"/v1/files/{upload_id}").json()
    assert (file["size"], file["sha256"]) == (len(content), sha256(content))
    assert b"".join(any_store.read(upload.key)) == content


@pytest.mark.parametrize("length", [0, 1, 5 * 1024 * 1024, 5 * 1024 * 1024 + 1])
def test_upload_is_held_against_the_digests_of_its_parts(
    file_store: Store, owner: Api, small_parts: int, length: int
) -> None:
    content = os.urandom(length)
    parts = [content[at : at + small_parts] for at in range(0, max(1, length), small_parts)]
    digests = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    upload_id = begin(owner, content)
    bring_parts(upload_id, content)
    assert complete(owner, upload_id, parts_sha256=digests).state == UploadState.READY


@pytest.mark.parametrize("field", ["sha256", "parts_sha256"])
def test_upload_with_a_wrong_checksum_is_refused_and_nothing_is_kept(
    any_store: Store, owner: Api, field: str
) -> None:
    upload_id = begin(owner, b"what was meant")
    bring_parts(upload_id, b"what was sent.")
    upload = complete(owner, upload_id, **{field: sha256(b"what was meant")})
    told = owner.get(f"/v1/uploads/{upload_id}").json()
    assert (told["state"], told["file_id"], told["error"]["code"]) == ("refused", None, "wrong_checksum")
    assert owner.get(f"/v1/files/{upload_id}").status_code == 404
    assert nothing_is_kept(any_store, upload)


def test_upload_resumes_with_what_is_missing(file_store: Store, owner: Api, small_parts: int) -> None:
    content = os.urandom(2 * small_parts + 10)
    upload_id = begin(owner, content)
    bring_parts(upload_id, content, only=[1, 3])
    arrived = owner.get(f"/v1/uploads/{upload_id}/parts").json()["data"]
    assert [part["number"] for part in arrived] == [1, 3]
    early = owner.post(f"/v1/uploads/{upload_id}/complete", {"sha256": sha256(content)})
    assert (early.status_code, early.json()["code"], early.json()["missing"]) == (409, "parts_missing", [2])
    bring_parts(upload_id, content, only=[2])
    assert complete(owner, upload_id, sha256=sha256(content)).state == UploadState.READY


def test_part_of_another_size_is_not_whole(file_store: Store, owner: Api) -> None:
    upload_id = begin(owner, b"ten bytes.")
    bring_parts(upload_id, b"less")
    answer = owner.post(f"/v1/uploads/{upload_id}/complete", {"sha256": sha256(b"less")})
    assert answer.json()["missing"] == [1]


def test_size_that_lies_is_refused_whatever_the_store_let_in(
    file_store: Store, owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = begin(owner, b"ten bytes.")
    bring_parts(upload_id, b"ten bytes.")
    upload = Upload.across_organizations.get(pk=upload_id)
    owner.post(f"/v1/uploads/{upload_id}/complete", {"sha256": sha256(b"eleven byte")})
    file_store.put_part(upload.key, upload.store_upload, 1, b"eleven byte")
    verify.verify(upload.id)
    upload.refresh_from_db()
    assert (upload.state, upload.error_code) == (UploadState.REFUSED, "wrong_size")
    assert nothing_is_kept(file_store, upload)


@pytest.mark.parametrize(
    ("numbers", "status", "code"),
    [([1, 2], 200, ""), ([3], 400, "no_such_part"), ([0], 400, "invalid"), ([], 400, "invalid"),
     (list(range(1, 102)), 400, "invalid")],
)  # fmt: skip
def test_parts_are_signed_as_far_as_there_are_any(
    file_store: Store, owner: Api, small_parts: int, numbers: list[int], status: int, code: str
) -> None:
    upload_id = begin(owner, bytes(small_parts + 7))
    answer = owner.post(f"/v1/uploads/{upload_id}/parts", {"numbers": numbers})
    assert (answer.status_code, answer.json().get("code", "")) == (status, code)
    if status == 200:
        assert [part["size"] for part in answer.json()["data"]] == [small_parts, 7]


def test_checksum_must_be_given(file_store: Store, owner: Api) -> None:
    upload_id = begin(owner, b"x")
    bring_parts(upload_id, b"x")
    assert owner.post(f"/v1/uploads/{upload_id}/complete", {}).json()["errors"][0]["pointer"] == "/sha256"
    assert owner.post(f"/v1/uploads/{upload_id}/complete", {"sha256": "x"}).status_code == 400


def test_aborted_upload_leaves_nothing_and_stays_aborted(any_store: Store, owner: Api) -> None:
    upload_id = begin(owner, b"abc")
    bring_parts(upload_id, b"abc")
    assert owner.post(f"/v1/uploads/{upload_id}/abort").json()["state"] == "aborted"
    assert nothing_is_kept(any_store, Upload.across_organizations.get(pk=upload_id))
    for again in ("abort", "complete", "parts"):
        answer = owner.post(f"/v1/uploads/{upload_id}/{again}", {"abort": None, "complete": {"sha256": "0" * 64},
                                                                 "parts": {"numbers": [1]}}[again])  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (409, "upload_ended")


def test_upload_is_made_once_for_a_repeated_request(file_store: Store, owner: Api) -> None:
    body = {"name": "a", "size": 1}
    first = owner.post("/v1/uploads", body, Idempotency_Key="one")
    second = owner.post("/v1/uploads", body, Idempotency_Key="one")
    assert first.json()["id"] == second.json()["id"]
    assert Upload.across_organizations.count() == 1


def test_other_organizations_upload_does_not_exist(file_store: Store, owner: Api, boreal: House) -> None:
    upload_id = begin(owner, b"abc")
    stranger = as_member(boreal.owner)
    assert stranger.get(f"/v1/uploads/{upload_id}").status_code == 404
    assert stranger.get(f"/v1/uploads/{upload_id}/parts").status_code == 404
    assert stranger.post(f"/v1/uploads/{upload_id}/parts", {"numbers": [1]}).status_code == 404
    assert stranger.post(f"/v1/uploads/{upload_id}/complete", {"sha256": "0" * 64}).status_code == 404
    assert stranger.post(f"/v1/uploads/{upload_id}/abort").status_code == 404
    assert stranger.get("/v1/uploads").json()["data"] == []


def test_viewer_brings_nothing(file_store: Store, aurora: House) -> None:
    viewer = as_member(aurora.viewer)
    assert viewer.get("/v1/uploads").status_code == 200
    answer = viewer.post("/v1/uploads", {"name": "a", "size": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_verifying_goes_on_where_a_worker_died(
    file_store: Store, owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it made the parts whole, before it wrote that down."""
    upload_id = begin(owner, b"abc")
    bring_parts(upload_id, b"abc")
    owner.post(f"/v1/uploads/{upload_id}/complete", {"sha256": sha256(b"abc")})
    with monkeypatch.context() as patch:
        patch.setattr("apps.files.verify.read_through", _dies)
        with pytest.raises(KeyboardInterrupt):
            verify.verify(UUID(upload_id))
    verify.verify(UUID(upload_id))
    assert Upload.across_organizations.get(pk=upload_id).state == UploadState.READY


def test_verifying_waits_for_a_storage_that_is_away(
    file_store: Store, owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = begin(owner, b"abc")
    bring_parts(upload_id, b"abc")
    owner.post(f"/v1/uploads/{upload_id}/complete", {"sha256": sha256(b"abc")})
    with monkeypatch.context() as patch:
        patch.setattr("apps.files.verify.read_through", _is_away)
        with pytest.raises(StoreUnavailable):
            verify.verify(UUID(upload_id))
    assert Upload.across_organizations.get(pk=upload_id).state == UploadState.VERIFYING
    verify.verify(UUID(upload_id))
    assert Upload.across_organizations.get(pk=upload_id).state == UploadState.READY


def test_upload_is_verified_by_one_worker_at_a_time(
    file_store: Store, owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = begin(owner, b"abc")
    bring_parts(upload_id, b"abc")
    owner.post(f"/v1/uploads/{upload_id}/complete", {"sha256": sha256(b"abc")})
    read = read_through
    readings = []

    def read_while_another_tries(*of: Any) -> Found:
        readings.append(of)
        verify.verify(UUID(upload_id))
        return read(*of)

    monkeypatch.setattr("apps.files.verify.read_through", read_while_another_tries)
    verify.verify(UUID(upload_id))
    assert len(readings) == 1


def test_upload_larger_than_the_installation_allows_is_refused(
    file_store: Store, owner: Api, settings: Settings
) -> None:
    settings.FILES_LARGEST_BYTES = 100
    assert owner.post("/v1/uploads", {"name": "a", "size": 100}).status_code == 201
    answer = owner.post("/v1/uploads", {"name": "a", "size": 101})
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


def test_organization_has_limits_of_its_own(file_store: Store, owner: Api, aurora: House, boreal: House) -> None:
    keep(aurora.organization, b"x" * 60)
    policy = StoragePolicy.objects.for_organization(aurora.organization)
    assert policy.get().stored_bytes == 60
    policy.update(most_bytes=100, largest_bytes=50)
    assert owner.post("/v1/uploads", {"name": "a", "size": 51}).json()["code"] == "file_too_large"
    assert owner.post("/v1/uploads", {"name": "a", "size": 30}).status_code == 201
    # What is under way counts as if it were there.
    assert owner.post("/v1/uploads", {"name": "a", "size": 30}).json()["code"] == "storage_quota_reached"
    assert as_member(boreal.owner).post("/v1/uploads", {"name": "a", "size": 30}).status_code == 201


def test_uploads_under_way_are_bounded(file_store: Store, owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_UNDER_WAY", 2)
    ids = [begin(owner, b"x") for _ in range(2)]
    answer = owner.post("/v1/uploads", {"name": "a", "size": 1})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_uploads")
    assert "Retry-After" in answer
    owner.post(f"/v1/uploads/{ids[0]}/abort")
    begin(owner, b"x")


def test_image_is_marked_for_a_thumbnail(file_store: Store, aurora: House) -> None:
    assert keep(aurora.organization, picture()).thumbnail == Thumbnail.WANTED
    assert keep(aurora.organization, b"text").thumbnail == Thumbnail.NONE


def test_signed_part_of_the_disk_names_one_place(file_store: Store, owner: Api) -> None:
    upload_id = begin(owner, b"abc")
    (part,) = owner.post(f"/v1/uploads/{upload_id}/parts", {"numbers": [1]}).json()["data"]
    assert part["url"].startswith("http://127.0.0.1:8000/v1/storage/parts/")
    assert File.across_organizations.count() == 0


def _dies(*of: object) -> None:
    raise KeyboardInterrupt


def _is_away(*of: object) -> None:
    raise StoreUnavailable
