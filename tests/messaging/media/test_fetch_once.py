"""Fetched once, whatever dies; and once more, where it failed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.files.models import File, Upload, UploadState
from apps.files.stores import store
from apps.files.stores.store import StoreUnavailable
from apps.messaging.engine import fetch_media
from apps.messaging.engine.fetch_media import MOST_ATTEMPTS, TASK, UNANSWERED, WAITS
from apps.messaging.engine.recover import recover
from apps.messaging.engine.store import Stored
from apps.messaging.models import FetchState, MediaFetch, Message
from tests.cast import Api
from tests.files.pictures import picture
from tests.messaging.callbacks import hand_over, work_on_callbacks
from tests.messaging.desk import Desk
from tests.messaging.media.file_server import Asked, FileServer, Reply
from tests.messaging.media.mailbox import (
    Mailbox,
    content_of,
    fetch_of,
    file_of,
    killed_after,
    media_in,
    noise,
    rung,
    told,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_callback_that_comes_twice_fetches_once(mailbox: Mailbox, files: FileServer) -> None:
    url, number = files.keep(picture()), mailbox.account.provider_account
    for text in ("Veja", "Veja!"):  # other bytes, the same message
        assert hand_over("instagram", told(number, "mid.twice", url, text)) is Stored.YES
    work_on_callbacks()
    assert mailbox.work().count(TASK) == 1
    assert len(files.asked) == 1
    assert File.across_organizations.count() == MediaFetch.across_organizations.count() == 1


def test_task_that_comes_again_does_nothing(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()))
    mailbox.work()
    mailbox.fetch(message)
    assert len(files.asked) == 1
    assert rung() == []


def test_message_without_a_file_asks_the_database_for_nothing_more(mailbox: Mailbox, desk: Desk) -> None:
    with CaptureQueriesContext(connection) as asked:
        body = told(mailbox.account.provider_account, "mid.words", "", "Oi")
        assert hand_over("instagram", body) is Stored.YES
        work_on_callbacks()
    assert Message.across_organizations.filter(provider_id="mid.words").exists()
    assert asked.captured_queries
    assert not any("media_fetch" in str(query["sql"]) for query in asked.captured_queries)


def test_worker_that_is_killed_is_followed_by_one_that_goes_on(
    mailbox: Mailbox, files: FileServer, small_parts: int
) -> None:
    content = noise(5 * small_parts + 10)
    message = mailbox.send(files.keep(content))
    with killed_after(5):  # the third part is in the store
        mailbox.work()
    mailbox.fetch(message)
    assert len(files.spans()) == 3, "whoever comes meanwhile leaves it alone"
    mailbox.let_pass(fetch_media.LEASE.total_seconds())
    recover()
    mailbox.work()
    assert content_of(file_of(message)) == content
    assert len(files.spans()) == len(set(files.spans())) == 6
    assert fetch_of(message).attempt == 2


def test_worker_that_is_killed_when_all_is_there_asks_nothing_more(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()))
    with killed_after(1):
        mailbox.work()
    mailbox.let_pass(fetch_media.LEASE.total_seconds())
    mailbox.fetch(message)
    mailbox.work()
    assert content_of(file_of(message)) == picture()
    assert len(files.asked) == 1


def test_parts_that_the_store_lost_are_fetched_again(
    mailbox: Mailbox, files: FileServer, small_parts: int
) -> None:
    message = mailbox.send(files.keep(noise(2 * small_parts)))
    with killed_after(2):
        mailbox.work()
    upload = Upload.across_organizations.get()
    store().abort(upload.key, upload.store_upload)
    mailbox.let_pass(fetch_media.LEASE.total_seconds())
    mailbox.fetch(message)
    mailbox.work()
    assert file_of(message).size == 2 * small_parts


def test_worker_that_lost_its_lease_writes_nothing(mailbox: Mailbox, files: FileServer, small_parts: int) -> None:
    message = mailbox.send(files.keep(noise(3 * small_parts)))

    def meanwhile(_asked: Asked) -> Reply | None:
        if len(files.asked) == 2:  # it took too long, and another worker has it
            MediaFetch.across_organizations.update(lease=message.id)
        return None

    files.answer = meanwhile
    assert mailbox.work() == [TASK]
    fetch = fetch_of(message)
    assert (fetch.state, fetch.lease) == (FetchState.WAITING, message.id)
    assert Upload.across_organizations.get().received <= small_parts


def test_bell_that_was_lost_is_rung_by_the_sweep(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()))
    assert rung() == [(TASK, message.id)]  # and lost
    recover()
    assert rung() == [], "it may still be on its way"
    mailbox.let_pass(UNANSWERED.total_seconds())
    recover()
    recover()
    assert rung() == [(TASK, message.id)]


def test_sweep_rings_no_louder_where_many_wait(
    mailbox: Mailbox, files: FileServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BROKER_URL = settings.REDIS_URL
    monkeypatch.setattr(fetch_media, "AT_ONCE", 1)
    mailbox.send(files.keep(picture()))
    mailbox.let_pass(UNANSWERED.total_seconds())
    recover()
    assert len(rung()) == 1, "the one that waits already"
    recover()
    assert len(rung()) == 1


def test_provider_that_fails_is_asked_again_later(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()))
    files.answer = lambda _asked: Reply(503)
    mailbox.work()
    files.answer = lambda _asked: None
    recover()
    mailbox.fetch(message)
    assert (len(files.asked), fetch_of(message).state) == (1, FetchState.WAITING)
    mailbox.let_pass(WAITS[0].total_seconds())
    recover()
    mailbox.work()
    assert file_of(message).size == len(picture())


def test_provider_that_is_too_busy_says_when_to_come_again(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()))
    files.answer = lambda _asked: Reply(429, headers={"Retry-After": "400"})
    mailbox.work()
    files.answer = lambda _asked: None
    mailbox.let_pass(390)
    mailbox.fetch(message)
    assert len(files.asked) == 1
    mailbox.let_pass(15)
    mailbox.fetch(message)
    assert len(files.asked) == 2


def test_file_that_breaks_off_is_asked_for_again(mailbox: Mailbox, files: FileServer, small_parts: int) -> None:
    message = mailbox.send(files.keep(noise(2 * small_parts)))

    def break_off(asked: Asked) -> Reply | None:
        if len(files.asked) > 1:
            return None
        whole = files.good(asked)
        return Reply(206, whole.body[:-1], whole.headers)

    files.answer = break_off
    mailbox.work()
    mailbox.let_pass(WAITS[0].total_seconds())
    mailbox.fetch(message)
    mailbox.work()
    assert content_of(file_of(message)) == files.files["/file"]


def test_store_that_is_away_costs_nothing_but_time(
    mailbox: Mailbox, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = mailbox.send(files.keep(picture()))

    def away(*_args: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(type(store()), "put_part", away)
        mailbox.work()
    mailbox.let_pass(WAITS[0].total_seconds())
    mailbox.fetch(message)
    mailbox.work()
    assert content_of(file_of(message)) == picture()


def test_provider_that_never_answers_is_given_up(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()))
    files.answer = lambda _asked: Reply(500)
    for _ in range(MOST_ATTEMPTS):
        assert "error" not in media_in(message)
        mailbox.fetch(message)
        mailbox.let_pass(WAITS[-1].total_seconds())
    assert media_in(message)["error"] == "500"
    assert len(files.asked) == MOST_ATTEMPTS
    mailbox.fetch(message)
    assert len(files.asked) == MOST_ATTEMPTS


def test_file_that_workers_die_of_is_given_up(mailbox: Mailbox, files: FileServer) -> None:
    message = mailbox.send(files.keep(picture()))
    for _ in range(MOST_ATTEMPTS):
        with killed_after(0):
            mailbox.fetch(message)
        mailbox.let_pass(fetch_media.LEASE.total_seconds())
    mailbox.fetch(message)
    assert media_in(message)["error"] == "worker_lost"


def test_organization_with_too_much_under_way_waits_its_turn(
    mailbox: Mailbox, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = mailbox.send(files.keep(picture()))
    with monkeypatch.context() as patched:
        patched.setattr("apps.files.limits.MOST_UNDER_WAY", 0)
        mailbox.work()
    assert fetch_of(message).attempt == 0, "it is nobody's failure"
    mailbox.let_pass(UNANSWERED.total_seconds())
    recover()
    mailbox.work()
    assert content_of(file_of(message)) == picture()


def test_upload_that_somebody_aborts_is_not_taken_up_again(
    mailbox: Mailbox, files: FileServer, small_parts: int, owner: Api
) -> None:
    message = mailbox.send(files.keep(noise(3 * small_parts)))

    aborted: list[int] = []

    def abort(_asked: Asked) -> None:
        if len(files.asked) == 2:
            upload = Upload.across_organizations.get()
            aborted.append(owner.post(f"/v1/uploads/{upload.id}/abort").status_code)

    files.answer = abort
    mailbox.work()
    assert (aborted, len(files.asked)) == ([200], 2)
    mailbox.let_pass(fetch_media.LEASE.total_seconds())
    mailbox.fetch(message)
    assert media_in(message)["error"] == "aborted"
    assert Upload.across_organizations.get().state == UploadState.ABORTED
