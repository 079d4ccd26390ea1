"""The page behind a signed link: what somebody without a log-in sees there, and what they choose."""

import re
from typing import Any

import pytest
from django.test import Client

from apps.core import clock
from apps.messaging.consent import suppressions
from apps.messaging.consent.addresses import masked
from apps.messaging.consent.choices import Choice, about_category, choose
from apps.messaging.models import ConsentEvent, ConsentSource, Contact, Suppression, Template
from local.browser_tools import chromium
from tests.cast import House, add_channel_account
from tests.live.elsewhere import chromium_elsewhere
from tests.live.test_accessibility import BROKEN, NAMELESS
from tests.messaging.preferences.page import ANA, events, has_left, path_of, save, text, ticked
from tests.server import Server

pytestmark = pytest.mark.django_db


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


# In a browser


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
