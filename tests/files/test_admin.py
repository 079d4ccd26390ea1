"""Files in the admin: seen, handed out, deleted, by those who may."""

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import Membership
from apps.files import uploads
from apps.files.models import File, StoragePolicy, Upload, UploadState
from apps.files.stores import links
from apps.files.stores.store import Store
from tests.cast import House
from tests.files.bringing import keep

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def test_list_shows_files_of_ones_organization(file_store: Store, aurora: House, boreal: House) -> None:
    keep(aurora.organization, name="nossa.pdf")
    keep(boreal.organization, name="deles.pdf")
    page = browser(aurora.viewer).get("/admin/files/file/").content.decode()
    assert "nossa.pdf" in page
    assert "deles.pdf" not in page


def test_download_leads_to_a_fresh_link(file_store: Store, aurora: House, boreal: House) -> None:
    file = keep(aurora.organization)
    path = f"/admin/files/file/{file.id}/download/"
    answer = browser(aurora.viewer).get(path)
    assert answer.status_code == 302
    assert links.read_download(answer["Location"].partition(links.OBJECTS)[2]).key == file.key
    assert browser(boreal.owner).get(path).status_code == 404


def test_file_is_deleted_by_those_who_may(file_store: Store, aurora: House) -> None:
    file = keep(aurora.organization)
    path = f"/admin/files/file/{file.id}/delete/"
    assert browser(aurora.viewer).post(path, {"post": "yes"}).status_code == 403
    assert browser(aurora.agent).post(path, {"post": "yes"}).status_code == 302
    assert not File.across_organizations.exists()


def test_upload_is_aborted_after_asking(file_store: Store, aurora: House) -> None:
    upload = uploads.begin_direct(aurora.organization, "filme.mp4", 10)
    client = browser(aurora.agent)
    path = f"/admin/files/upload/{upload.id}/abort/"
    assert "filme.mp4" in client.get(path).content.decode()
    assert Upload.across_organizations.get().state == UploadState.RECEIVING
    client.post(path)
    assert Upload.across_organizations.get().state == UploadState.ABORTED
    assert "filme.mp4" in client.get("/admin/files/upload/").content.decode()


def test_policy_is_changed_on_its_page(file_store: Store, aurora: House) -> None:
    keep(aurora.organization)
    policy = StoragePolicy.across_organizations.get()
    path = f"/admin/files/storagepolicy/{policy.id}/change/"
    form = {"largest_bytes": "", "most_bytes": "1000", "keep_days": "30", "unused_days": ""}
    assert browser(aurora.agent).post(path, form).status_code == 403
    browser(aurora.admin).post(path, form)
    policy.refresh_from_db()
    assert (policy.most_bytes, policy.keep_days, policy.largest_bytes) == (1000, 30, None)
