"""Files that somebody sent go with them, and with the words of their message."""

from datetime import timedelta

import pytest

from apps.accounts import organizations
from apps.core import clock
from apps.files.models import File, Upload
from apps.files.stores import store
from apps.files.stores.store import NoSuchObject, NoSuchUpload
from apps.messaging.erasure import erase
from apps.messaging.models import MediaFetch
from apps.messaging.redaction import REDACTED, redact
from apps.messaging.retention import delete_old
from tests.cast import House
from tests.files.pictures import picture
from tests.messaging.left_behind import REASON, WORD
from tests.messaging.media.conftest import PART_BYTES
from tests.messaging.media.file_server import FileServer
from tests.messaging.media.mailbox import Mailbox, file_of, killed_after, noise
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_files_that_she_sent_go(mailbox: Mailbox, aurora: House, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()), WORD)
    mailbox.work()
    file = file_of(message)
    File.across_organizations.filter(pk=file.pk).update(name=f"{WORD}.png")
    Upload.across_organizations.update(name=f"{WORD}.png")
    assert b"".join(store().read(file.key))
    report = erase(aurora.principal(), message.conversation.contact, REASON)
    assert report.counts["messaging"]["files"] == 1
    assert not File.across_organizations.exists()
    assert not MediaFetch.across_organizations.exists()
    with pytest.raises(NoSuchObject):
        list(store().read(file.key))
    assert traces_of(WORD) == set()


def test_file_that_is_still_being_fetched_is_given_up(mailbox: Mailbox, aurora: House, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()), WORD)
    erase(aurora.principal(), message.conversation.contact, REASON)
    mailbox.work()
    mailbox.fetch(message)
    assert not File.across_organizations.exists()
    message.refresh_from_db()
    assert (message.text, message.content) == ("[erased]", {})


def test_file_that_is_half_there_is_given_up(mailbox: Mailbox, aurora: House, files: FileServer) -> None:
    message = mailbox.send(files.keep(noise(3 * PART_BYTES)))
    with killed_after(2):
        mailbox.fetch(message)
    upload = Upload.across_organizations.get()
    assert store().parts(upload.key, upload.store_upload)
    erase(aurora.principal(), message.conversation.contact, REASON)
    upload.refresh_from_db()
    assert (upload.state, upload.name) == ("refused", "")
    with pytest.raises(NoSuchUpload):
        store().parts(upload.key, upload.store_upload)


def test_redaction_waits_for_a_file_on_its_way_and_takes_it_along(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()), WORD)
    assert redact([message.pk]) == set()
    mailbox.work()
    file = file_of(message)
    Upload.across_organizations.update(name=f"{WORD}.png")
    assert redact([message.pk]) == {message.pk}
    message.refresh_from_db()
    assert (message.text, message.content) == (REDACTED, {})
    assert not File.across_organizations.exists()
    with pytest.raises(NoSuchObject):
        list(store().read(file.key))
    assert traces_of(WORD) == set()
    assert redact([message.pk]) == {message.pk}


def test_redaction_takes_along_no_file_of_another_organization(
    mailbox: Mailbox, boreal: House, files: FileServer
) -> None:
    message = mailbox.send(files.keep(picture()), WORD)
    mailbox.work()
    File.across_organizations.update(organization=boreal.organization)
    redact([message.pk])
    assert File.across_organizations.exists()


def test_file_goes_with_a_message_that_is_kept_no_longer(
    mailbox: Mailbox, aurora: House, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    organizations.change(aurora.principal(), message_retention_days=1)
    message = mailbox.send(files.keep(picture()))
    later = clock.now() + timedelta(days=2)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert delete_old() == 0, "it is being fetched"
    mailbox.work()
    file = file_of(message)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert delete_old() == 1
    assert not File.across_organizations.exists()
    assert not MediaFetch.across_organizations.exists()
    with pytest.raises(NoSuchObject):
        list(store().read(file.key))
