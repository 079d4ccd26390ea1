"""What goes by itself, and what never does."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from apps.accounts.models import Organization
from apps.core import clock, errands
from apps.files import files, uploads
from apps.files.models import File, StoragePolicy, Upload, UploadState, UploadWay
from apps.files.stores.store import NoSuchObject, NoSuchUpload, Store
from apps.files.sweep import ring_forgotten, sweep
from tests.cast import House
from tests.files.bringing import keep
from tests.files.pictures import picture

pytestmark = pytest.mark.django_db


def age(row: File | Upload, **time: float) -> None:
    then = clock.now() - timedelta(**time)
    changed = {"created_at": then} if isinstance(row, File) else {"created_at": then, "changed_at": then}
    type(row).across_organizations.filter(pk=row.pk).update(**changed)


def is_there(file: File) -> bool:
    return File.across_organizations.filter(pk=file.pk).exists()


def test_sweep_removes_what_nothing_refers_to(file_store: Store, aurora: House) -> None:
    old, used, new = (keep(aurora.organization) for _ in range(3))
    for file in (old, used):
        age(file, days=31)
    assert files.use(aurora.organization, [used.id]).keys() == {used.id}
    assert sweep().unused_files == 1
    assert [is_there(file) for file in (old, used, new)] == [False, True, True]
    with pytest.raises(NoSuchObject):
        b"".join(file_store.read(old.key))
    assert StoragePolicy.objects.for_organization(aurora.organization).get().stored_bytes == used.size + new.size


def test_dry_run_tells_and_removes_nothing(file_store: Store, aurora: House) -> None:
    file = keep(aurora.organization, name="velho.txt")
    age(file, days=31)
    upload = uploads.begin_direct(aurora.organization, "a", 10)
    age(upload, days=2)
    said = StringIO()
    call_command("sweep_files", "--dry-run", stdout=said)
    assert f"unused file {file.id} velho.txt" in said.getvalue()
    assert f"upload {upload.id}" in said.getvalue()
    assert "1 abandoned uploads would be aborted; 1 unused files (5 bytes)" in said.getvalue()
    assert is_there(file)
    assert Upload.across_organizations.get(pk=upload.pk).state == UploadState.RECEIVING
    call_command("sweep_files", stdout=StringIO())
    assert not is_there(file)


def test_organization_chooses_how_long_files_stay(file_store: Store, aurora: House, boreal: House) -> None:
    theirs, mine = keep(boreal.organization), keep(aurora.organization)
    used = keep(aurora.organization)
    files.use(aurora.organization, [used.id])
    for file in (theirs, mine, used):
        age(file, days=10)
    StoragePolicy.objects.for_organization(aurora.organization).update(unused_days=9)
    assert sweep().unused_files == 1
    assert [is_there(file) for file in (theirs, mine, used)] == [True, False, True]
    StoragePolicy.objects.for_organization(aurora.organization).update(keep_days=9)
    assert sweep().outlived_files == 1
    assert [is_there(file) for file in (theirs, used)] == [True, False]


def test_file_that_a_message_takes_meanwhile_stays(
    file_store: Store, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = keep(aurora.organization)
    age(file, days=31)
    count = "apps.files.sweep._count"
    monkeypatch.setattr(count, lambda *_: files.use(aurora.organization, [file.id]))
    sweep()
    assert is_there(file)
    assert b"".join(file_store.read(file.key))


@pytest.mark.parametrize(
    ("way", "silent", "is_aborted"),
    [
        (UploadWay.STREAMED, {"minutes": 4}, False),
        (UploadWay.STREAMED, {"minutes": 6}, True),
        (UploadWay.DIRECT, {"hours": 23}, False),
        (UploadWay.DIRECT, {"hours": 25}, True),
        (UploadWay.FETCHED, {"hours": 25}, True),
    ],
)
def test_sweep_aborts_uploads_that_nothing_is_heard_of(
    file_store: Store, aurora: House, way: UploadWay, silent: dict[str, float], is_aborted: bool
) -> None:
    upload = uploads.begin(aurora.organization, way, name="a", size=10)
    uploads.begin_in_parts(upload)
    file_store.put_part(upload.key, upload.store_upload, 1, b"part")
    age(upload, **silent)
    assert sweep().abandoned_uploads == int(is_aborted)
    if is_aborted:
        with pytest.raises(NoSuchUpload):
            file_store.parts(upload.key, upload.store_upload)
    else:
        assert file_store.parts(upload.key, upload.store_upload)


def test_sweep_looks_again_at_what_could_not_be_removed(file_store: Store, aurora: House) -> None:
    """Such as an object that was still on its way when its upload was given up."""
    upload = uploads.begin(aurora.organization, UploadWay.STREAMED, name="a")
    uploads.abort(upload)
    file_store.put(upload.key, b"late")
    sweep()
    assert b"".join(file_store.read(upload.key)) == b"late"
    age(upload, hours=2)
    sweep()
    with pytest.raises(NoSuchObject):
        b"".join(file_store.read(upload.key))
    age(upload, days=8)
    sweep()
    assert not Upload.across_organizations.filter(pk=upload.pk).exists()


def test_sweep_forgets_no_upload_that_may_have_left_something(
    file_store: Store, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.files.uploads.clean_up", lambda _upload: False)
    upload = uploads.begin(aurora.organization, UploadWay.STREAMED, name="a")
    uploads.abort(upload)
    age(upload, days=8)
    sweep()
    assert Upload.across_organizations.filter(pk=upload.pk).exists()


def test_sweep_keeps_the_bytes_of_files_whose_upload_is_forgotten(file_store: Store, aurora: House) -> None:
    file = keep(aurora.organization)
    age(Upload.across_organizations.get(pk=file.pk), days=8)
    sweep()
    assert not Upload.across_organizations.filter(pk=file.pk).exists()
    assert b"".join(file_store.read(file.key)) == b"hello"


def test_what_no_bell_rang_for_is_found(file_store: Store, aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, object]] = []
    monkeypatch.setattr(errands, "start", lambda task, subject: rung.append((task, subject)))
    image = keep(aurora.organization, picture())
    waiting = _verifying(aurora.organization)
    being_read = _verifying(aurora.organization)
    Upload.across_organizations.filter(pk=being_read.pk).update(leased_until=clock.now() + timedelta(minutes=5))
    ring_forgotten()
    assert rung == []
    age(image, minutes=2)
    for upload in (waiting, being_read):
        age(upload, minutes=2)
    ring_forgotten()
    assert rung == [(uploads.VERIFY, waiting.id), (uploads.MAKE_THUMBNAIL, image.id)]


def _verifying(organization: Organization) -> Upload:
    upload = uploads.begin(organization, UploadWay.DIRECT, name="a", size=1)
    uploads.move(upload, UploadState.VERIFYING)
    return upload
