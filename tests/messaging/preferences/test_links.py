"""The link is the authority: whoever has it chooses for one person, and nobody else does."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from pytest_django import Settings

from apps.core import clock
from apps.core.ids import new_id
from apps.messaging.consent import links
from apps.messaging.consent.links import token_of
from apps.messaging.models import Contact
from tests.cast import House
from tests.messaging.preferences.page import QUIET, events, has_left, path_of, save, text, ticked
from tests.server import Server

pytestmark = pytest.mark.django_db


# The link


def forged(payload: Any, **how: Any) -> str:
    return signing.dumps(payload, **{"salt": "recado.preferences", **how})


def test_link_that_is_not_ours_or_too_old_shows_nothing(ana: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(ana.pk)
    with monkeypatch.context() as past:
        moment = clock.now() - links.VALID_FOR - timedelta(days=1)
        past.setattr(
            signing.TimestampSigner, "timestamp", lambda _self: signing.b62_encode(int(moment.timestamp()))
        )
        old = token_of(ana.pk)
    wrong = [
        "x", token[:-1], token + "x", token.replace(":", "."), old, token_of(new_id()), forged([ana.pk.hex]),
        forged([ana.pk.hex, ""], key="x"), forged([ana.pk.hex, ""], salt="another"), forged("text"), forged(None),
        forged(["x", ""]), forged([1, 2]), "%00", "é",
    ]  # fmt: skip
    for each in wrong:
        for more in ("", "/leave", "/unsubscribe"):
            answer = Client().get(f"/p/{each}{more}")
            page = text(answer, 404)
            assert "This link does not work" in page
            assert "Padaria" not in page
        answer = Client().post(f"/p/{each}/unsubscribe", {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 404
    assert events(ana) == []


def test_page_is_kept_nowhere_and_found_by_nobody(ana: Contact) -> None:
    pages = [
        Client().get(path_of(ana)), Client().get(path_of(ana, "/leave")), Client().get("/p/x"), save(ana),
        Client().post(path_of(ana, "/unsubscribe"), {"List-Unsubscribe": "One-Click"}),
    ]  # fmt: skip
    for answer in pages:
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"
        assert "noindex" in answer["X-Robots-Tag"]
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    content = text(pages[0])
    assert "<script" not in content
    assert "style=" not in content
    assert not re.search(r'(href|src|action)="https?:', content), "nothing from elsewhere, and no way there"


def test_page_does_not_know_who_is_logged_in(ana: Contact, boreal: House) -> None:
    client = Client()
    client.force_login(boreal.viewer.user)
    assert "Padaria Aurora" in text(client.get(path_of(ana)))
    client.post(path_of(ana, "/leave"))
    assert events(ana) == [("all", False, "page")]


def test_form_of_another_site_changes_nothing(ana: Contact) -> None:
    client = Client(enforce_csrf_checks=True)
    for more in ("", "/leave", "/return"):
        assert client.post(path_of(ana, more), QUIET).status_code == 403
    assert events(ana) == []
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', text(client.get(path_of(ana))))[0]
    assert client.post(path_of(ana), QUIET | {"csrfmiddlewaretoken": token}).status_code == 302


def test_too_many_visits_from_one_place_are_refused(ana: Contact, settings: Settings) -> None:
    settings.API_RATE_PER_SECOND, settings.API_BURST = 0.01, 2
    answers = [Client().get(path_of(ana)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) >= 1
    assert "Wait a little" in text(answers[-1], 429)
    assert Client(REMOTE_ADDR="192.0.2.7").get(path_of(ana)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_no_link_reaches_the_log(server: Server, ana: Contact) -> None:
    token = token_of(ana.pk, "marketing")
    with server.client() as client:
        answer = client.get(f"/p/{token}?lang=en")
        assert answer.status_code == 200
        client.get(f"/p/{token.replace(':', '%3A')}")
        client.post(f"/p/{token}")
        client.get(f"/p/{token}x")
        client.post(f"/p/{token}/unsubscribe", data={"List-Unsubscribe": "One-Click"})
    log = server.log.read_text()
    for part in token.split(":"):
        assert part not in log
    line = next(each for each in log.splitlines() if answer.headers["X-Request-Id"] in each)
    assert json.loads(line)["request"] == "GET /p/[hidden]?lang=en"


# The button of mail programs (RFC 8058)


def touch(contact: Contact, category: str = "", **body: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path_of(contact, "/unsubscribe", category), body or {"List-Unsubscribe": "One-Click"})
    assert not client.cookies
    return answer


def test_one_touch_ends_a_category(ana: Contact) -> None:
    for _ in range(2):
        answer = touch(ana, "marketing")
        assert (answer.status_code, answer.content) == (200, b"")
    ana.refresh_from_db()
    assert (ana.refused_categories, ana.left_at) == (["marketing"], None)
    assert events(ana) == [("category:marketing", False, "one_click")]
    assert ticked(text(Client().get(path_of(ana))), "categories")["marketing"] is False


@pytest.mark.parametrize("category", ["", "transactional"])
def test_one_touch_on_a_message_of_no_such_category_ends_everything(ana: Contact, category: str) -> None:
    assert touch(ana, category).status_code == 200
    assert has_left(ana)
    assert events(ana) == [("all", False, "one_click")]


def test_mail_program_may_send_its_form_in_parts(ana: Contact) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    client = Client(enforce_csrf_checks=True)
    where = path_of(ana, "/unsubscribe", "billing")
    answer = client.post(where, body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 200
    assert events(ana) == [("category:billing", False, "one_click")]


def test_looking_at_the_link_of_the_button_ends_nothing(ana: Contact) -> None:
    client = Client()
    for answer in (
        client.get(path_of(ana, "/unsubscribe", "marketing")),
        client.head(path_of(ana, "/unsubscribe")),
    ):
        assert answer.status_code == 302
        assert client.get(answer["Location"]).status_code == 200
    assert touch(ana, "marketing", something="else").status_code == 400
    assert client.put(path_of(ana, "/unsubscribe")).status_code == 405
    assert events(ana) == []
