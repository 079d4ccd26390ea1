"""The page behind a signed link: somebody without a log-in chooses what they get, and nobody else does."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from pytest_django import Settings

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.messaging.consent import links, suppressions
from apps.messaging.consent.addresses import masked
from apps.messaging.consent.choices import Choice, about_category, choose
from apps.messaging.consent.links import token_of
from apps.messaging.models import ConsentEvent, ConsentSource, Contact, ContactAddress, Suppression, Template
from local.browser_tools import chromium
from tests.cast import House, add_channel_account
from tests.live.elsewhere import chromium_elsewhere
from tests.live.test_accessibility import BROKEN, NAMELESS
from tests.server import Server

pytestmark = pytest.mark.django_db
ANA = "+5511912345601"
QUIET = {"quiet_from": "", "quiet_until": "", "time_zone": "America/Sao_Paulo"}


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return add_channel_account(aurora)


@pytest.fixture
def ana(aurora: House, account: ChannelAccount) -> Contact:
    contact = Contact.across_organizations.create(organization=aurora.organization, name="Ana Lima")
    for kind, value in (("phone", ANA), ("email", "ana.lima@exemplo.com.br")):
        own = {"organization": aurora.organization, "contact": contact}
        ContactAddress.across_organizations.create(kind=kind, value=value, **own)
    return contact


def path_of(contact: Contact, more: str = "", category: str = "") -> str:
    return f"/p/{token_of(contact.pk, category)}{more}"


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    content: str = answer.content.decode()
    return content


def events(contact: Contact) -> list[tuple[str, bool, str]]:
    found = ConsentEvent.across_organizations.filter(contact=contact).order_by("id")
    return list(found.values_list("subject", "is_given", "source"))


def ticked(page: str, name: str) -> dict[str, bool]:
    boxes = re.findall(rf'<input[^>]* name="{name}" value="([^"]+)"( checked)?>', page)
    return {value: bool(checked) for value, checked in boxes}


def has_left(contact: Contact) -> bool:
    return Contact.across_organizations.get(pk=contact.pk).left_at is not None


# What it shows


def test_page_says_whose_messages_these_are_and_hides_the_addresses(ana: Contact) -> None:
    page = text(Client().get(path_of(ana)))
    assert "Padaria Aurora" in page
    assert "+55 ••• 5601" in page
    assert "a•••@exemplo.com.br" in page
    for hidden in (ANA, "ana.lima", "Ana Lima", "91234"):
        assert hidden not in page


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [("phone", "+14155550123", "+14 ••• 0123"), ("email", "x@y.zz", "x•••@y.zz"),
     ("telegram_chat", "123456789", "•••789"), ("url", "https://hooks.example/secret?token=1", "hooks.example"),
     ("instagram_id", "17841400", "•••400")],
)  # fmt: skip
def test_address_is_hidden_but_for_its_own_person(kind: str, address: str, shown: str) -> None:
    assert masked(kind, address) == shown


def test_page_offers_what_the_organization_writes_about_and_how(
    ana: Contact, aurora: House, boreal: House
) -> None:
    for name, category in (("a", "order_news"), ("b", "marketing"), ("c", "transactional"), ("d", "order_news")):
        Template.across_organizations.create(organization=aurora.organization, name=name, category=category)
    own = {"organization": aurora.organization, "archived_at": clock.now()}
    Template.across_organizations.create(name="old", category="old_news", **own)
    Template.across_organizations.create(organization=boreal.organization, name="a", category="theirs")
    add_channel_account(aurora, "instagram")
    choose(
        ana.pk, [Choice(about_category(name), is_given=False) for name in ("marketing", "club")], ConsentSource.API
    )

    page = text(Client().get(path_of(ana)))

    assert ticked(page, "categories") == {"billing": True, "marketing": False, "club": False, "order_news": True}
    assert ticked(page, "channels") == {"whatsapp_cloud": True}, "on Instagram nobody knows the person"
    assert ">Order news</label>" in page
    assert "WhatsApp" in page
    assert re.search(r'<input id="always" type="checkbox" checked disabled aria-describedby="always-why">', page)


def test_page_is_in_the_persons_language(ana: Contact) -> None:
    def language(query: str = "", **headers: str) -> str:
        answer = Client().get(path_of(ana) + query, headers=headers)
        assert answer["Content-Language"] == re.findall(r'<html lang="([^"]+)"', text(answer))[0]
        return str(answer["Content-Language"])

    assert language() == "en"
    assert language(**{"Accept-Language": "pt-BR,pt;q=0.9"}) == "pt-br"
    ana.language = "pt-BR"
    ana.save()
    assert language(**{"Accept-Language": "en"}) == "pt-br"
    assert language("?lang=en") == "en"
    assert language("?lang=xx") == "pt-br"
    answer = Client().post(path_of(ana, "/leave?lang=en"))
    assert answer["Location"].endswith("?done=left&lang=en")


# What it changes


def save(contact: Contact, **said: Any) -> Any:
    return Client().post(path_of(contact), QUIET | said)


def test_what_is_not_ticked_is_refused(ana: Contact) -> None:
    answer = save(ana, categories=["billing"], channels=["whatsapp_cloud"])
    assert (answer.status_code, answer["Location"]) == (302, f"{path_of_location(answer)}?done=saved")
    ana.refresh_from_db()
    assert (ana.refused_categories, ana.refused_channels, ana.left_at) == (["marketing"], [], None)
    assert events(ana) == [("category:marketing", False, "page")]
    assert 'role="status">Saved.' in text(Client().get(answer["Location"]))

    save(ana, categories=["billing", "marketing"])
    ana.refresh_from_db()
    assert (ana.refused_categories, ana.refused_channels) == ([], ["whatsapp_cloud"])
    assert events(ana)[1:] == [("category:marketing", True, "page"), ("channel:whatsapp_cloud", False, "page")]
    save(ana, categories=["billing", "marketing"])
    assert len(events(ana)) == 3, "what did not change is not noted"


def path_of_location(answer: Any) -> str:
    return str(answer["Location"]).partition("?")[0]


def test_what_was_not_offered_is_not_changed(ana: Contact) -> None:
    choose(ana.pk, [Choice("channel:instagram", is_given=False)], ConsentSource.API)
    assert save(ana, categories=["transactional", "marketing"]).status_code == 400
    assert save(ana, channels=["pigeon"]).status_code == 400
    ana.refresh_from_db()
    assert ana.refused_categories == []
    assert len(events(ana)) == 1


def test_quiet_hours_are_kept_with_their_time_zone(ana: Contact) -> None:
    everything = {"categories": ["billing", "marketing"], "channels": ["whatsapp_cloud"]}
    hours = {"quiet_from": "22:00", "quiet_until": "08:30", "time_zone": "America/Manaus"}
    save(ana, **everything, **hours)
    ana.refresh_from_db()
    assert (str(ana.quiet_from), str(ana.quiet_until), ana.time_zone) == ("22:00:00", "08:30:00", "America/Manaus")
    event = ConsentEvent.across_organizations.get(contact=ana)
    assert (event.subject, event.is_given, event.detail) == ("quiet_hours", False, "22:00-08:30 America/Manaus")
    page = text(Client().get(path_of(ana)))
    assert 'name="quiet_from" value="22:00"' in page
    assert '<option value="America/Manaus" selected>Manaus</option>' in page
    save(ana, **everything, **hours)
    assert len(events(ana)) == 1

    save(ana, **everything)
    ana.refresh_from_db()
    assert (ana.quiet_from, ana.quiet_until) == (None, None)
    assert events(ana)[-1] == ("quiet_hours", True, "page")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"quiet_from": "22:00"}, "quiet_until"), ({"quiet_until": "8:00"}, "quiet_from"),
     ({"quiet_from": "8:00", "quiet_until": "8:00"}, "quiet_until"),
     ({"quiet_from": "25:00", "quiet_until": "8:00"}, "quiet_from")],
)  # fmt: skip
def test_quiet_hours_that_make_no_sense_are_not_saved(ana: Contact, wrong: dict[str, str], field: str) -> None:
    page = text(save(ana, **wrong), 400)
    assert 'role="alert"' in page
    assert re.search(rf'name="{field}"[^>]* aria-invalid="true"', page)
    assert f'id="id_{field}-wrong"' in page
    assert events(ana) == []


def test_time_zone_that_was_known_under_another_name_stays(ana: Contact) -> None:
    ana.time_zone = "Brazil/East"
    ana.save()
    assert '<option value="Brazil/East" selected>' in text(Client().get(path_of(ana)))
    assert save(ana, time_zone="Nowhere/Town").status_code == 400


def test_leaving_altogether_asks_once_more_and_can_be_taken_back(ana: Contact) -> None:
    question = text(Client().get(path_of(ana, "/leave")))
    assert "Get nothing at all from Padaria Aurora?" in question
    assert not has_left(ana)
    client = Client()
    page = text(client.post(path_of(ana, "/leave"), follow=True))
    assert has_left(ana)
    assert "Get messages again" in page
    assert 'name="categories"' not in page
    page = text(client.post(path_of(ana, "/return"), follow=True))
    assert not has_left(ana)
    assert 'name="categories"' in page
    assert events(ana) == [("all", False, "page"), ("all", True, "page")]
    assert client.get(path_of(ana, "/return")).status_code == 405


def test_who_said_stop_takes_it_back_on_the_page_but_not_what_others_said(ana: Contact, aurora: House) -> None:
    suppressions.add(aurora.organization.id, "phone", [ANA], ConsentSource.WORD)
    suppressions.add(aurora.organization.id, "email", ["ana.lima@exemplo.com.br"], ConsentSource.PROVIDER)
    page = text(Client().get(path_of(ana)))
    assert re.search(r"You asked not to be written to here: .*phone number \+55 ••• 5601", page)
    assert re.search(r"cannot be changed on this page.*e-mail address a•••@exemplo", page)
    page = text(Client().post(path_of(ana, "/return"), follow=True))
    assert Suppression.across_organizations.get().kind == "email"
    assert "You asked not to be" not in page


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


# In a browser, and in the log


@pytest.mark.django_db(transaction=True)
def test_page_works_on_a_small_phone(server: Server, ana: Contact) -> None:
    with chromium_elsewhere(chromium()) as (_elsewhere, browser):
        page = browser.new_context(viewport={"width": 360, "height": 640}, locale="en-GB").new_page()

        def touch_button(name: str) -> None:
            page.get_by_role("button", name=name).click()
            page.wait_for_load_state()
            assert page.evaluate(NAMELESS) == []
            assert page.evaluate(BROKEN) == {"twice": [], "lost": []}
            assert page.evaluate("document.documentElement.scrollWidth") == 360

        page.goto(server.url + path_of(ana))
        page.get_by_label("Offers").uncheck()
        page.get_by_label("From").fill("22:00")
        touch_button("Save")
        page.get_by_role("alert").wait_for()
        page.get_by_label("Until").fill("08:00")
        touch_button("Save")
        page.get_by_role("status").wait_for()
        assert not page.get_by_label("Offers").is_checked()
        page.get_by_role("link", name="Get nothing at all").click()
        touch_button("Yes, send me nothing")
        touch_button("Get messages again")
        page.get_by_label("Offers").wait_for()
    assert [subject for subject, _given, _source in events(ana)] == [
        "category:marketing", "quiet_hours", "all", "all",
    ]  # fmt: skip


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
