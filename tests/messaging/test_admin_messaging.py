"""Messages in the admin: the operators see what happened, and act through the functions of the API."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.admin.long_tables import newest, pages
from apps.accounts.models import User
from apps.messaging.admin import backlog
from apps.messaging.models import Conversation
from tests.cast import PASSWORD, House
from tests.messaging import history
from tests.messaging.history import ANA, BIA
from tests.messaging.operators import browser, list_of, rows, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def client(aurora: House) -> Client:
    return browser(aurora.agent.user)


@pytest.fixture
def root(db: None) -> Client:
    return browser(User.objects.create_superuser("root@recado.example", PASSWORD))


@pytest.mark.parametrize("kind", ["message", "conversation", "contact", "deadletter"])
def test_pages_show_ones_own_and_nobody_elses(
    client: Client, root: Client, kind: str, aurora: House, boreal: House
) -> None:
    for house in (boreal, aurora):
        history.dead(house)
    (own,) = rows(client, kind)
    both = rows(root, kind)
    assert len(both) == 2
    (theirs,) = set(both) - {own}
    assert BIA in text(client.get(f"{list_of(kind)}{own}/change/"))
    assert client.get(f"{list_of(kind)}{theirs}/change/").status_code == 302
    if kind != "contact":
        assert client.post(f"{list_of(kind)}{own}/change/", {"text": "forged"}).status_code == 403
    assert client.post(f"{list_of(kind)}{own}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{list_of(kind)}add/").status_code == 403


def test_page_of_a_message_tells_its_story(client: Client, aurora: House) -> None:
    page = text(client.get(f"{list_of('message')}{history.dead(aurora).message_id}/change/"))
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3}</time>", page)
    assert page.index("Accepted") < page.index("Taken by a worker") < page.index("Failed for good")
    assert (
        "attempt 1, in 12 ms; the provider refused the message; 131047: more than a day since they wrote" in page
    )


def test_message_is_found_by_whatever_is_at_hand(
    client: Client, root: Client, aurora: House, boreal: House
) -> None:
    gone, named = history.sent(aurora), history.queued(aurora, to=BIA, reference="order 7")
    theirs = history.queued(boreal, to=BIA, reference="order 7")
    for query, expected in [
        (str(gone.id), gone), (f"wamid.{gone.id}", gone), ("%2B55 (11) 91234-5601", gone), ("order 7", named),
        ("%2B5511912345602", named),
    ]:  # fmt: skip
        assert rows(client, "message", f"q={query}") == [str(expected.id)], query
    for query in ("nobody", str(theirs.id), "order"):
        assert rows(client, "message", f"q={query}") == []
    assert rows(root, "message", "q=order 7") == [str(theirs.id), str(named.id)]
    assert rows(client, "conversation", "q=%2B5511912345602") == [str(named.conversation_id)]
    assert rows(client, "contact", f"q={named.conversation.contact_id}") == [str(named.conversation.contact_id)]
    assert rows(client, "deadletter", "q=order 7") == []


def test_filters_offer_and_find_ones_own_only(client: Client, root: Client, aurora: House, boreal: House) -> None:
    gone, dead, waiting = history.sent(aurora), history.dead(aurora), history.queued(aurora)
    theirs = history.queued(boreal)
    assert rows(client, "message", "status=sent") == [str(gone.id)]
    assert rows(client, "message", "status=failed") == [str(dead.message_id)]
    assert rows(client, "message", "status=queued") == [str(waiting.id)]
    assert rows(root, "message", "status=queued") == [str(theirs.id), str(waiting.id)]
    assert rows(client, "message", f"account={gone.account_id}&status=sent") == [str(gone.id)]
    assert rows(client, "message", f"account={theirs.account_id}") == []
    assert "boreal" not in text(client.get(list_of("message"))).lower()
    assert rows(client, "deadletter", "state=open") == [str(dead.id)]
    for query in ("status=lost", "account=x", "text__regex=x", "p=999999", "q=%00", "o=1.x"):
        for kind in ("message", "deadletter"):
            assert client.get(f"{list_of(kind)}?{query}", follow=True).status_code in {200, 400}


def test_lists_look_no_further_than_a_bound(
    client: Client, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [history.queued(aurora, to=f"+55119123456{number:02d}") for number in range(6)]
    monkeypatch.setattr(pages, "MOST_COUNTED", 4)
    monkeypatch.setattr(newest, "MOST_LOOKED_AT", 3)
    assert "of more than 4" in text(client.get(list_of("message")))
    query = f"account={made[0].account_id}"
    assert rows(client, "message", query) == [str(each.id) for each in made[:2:-1]]
    with CaptureQueriesContext(connection) as queries:
        client.get(list_of("message"))
    assert not [each["sql"] for each in queries if "COUNT(*)" in each["sql"] and "LIMIT" not in each["sql"]]


def test_lists_cost_the_same_for_one_and_for_many(client: Client, aurora: House) -> None:
    def costs() -> list[int]:
        found = []
        for kind in ("message", "conversation", "contact", "deadletter"):
            with CaptureQueriesContext(connection) as queries:
                client.get(list_of(kind))
            found.append(len(queries))
        return found

    history.dead(aurora, to="+5511912345699")
    client.get(list_of("message"))
    few = costs()
    for number in range(4):
        history.dead(aurora, to=f"+55119123456{number:02d}")
    assert costs() == few


def test_message_is_taken_back_only_while_it_is_here(client: Client, aurora: House) -> None:
    waiting, gone = history.queued(aurora, to=BIA), history.queued(aurora)
    history.leave(gone)
    for message, status in ((waiting, "cancelled"), (gone, "sent")):
        url = reverse("admin:messaging_message_cancel_message", args=[message.pk])
        assert client.get(url).status_code == 200
        client.post(url)
        message.refresh_from_db()
        assert message.status == status
    assert "cannot be taken back" in text(client.post(url, follow=True))


def test_conversation_is_closed_and_opened(client: Client, aurora: House) -> None:
    conversation = history.conversation(aurora)
    for name, is_closed in (("close", True), ("reopen", False)):
        url = reverse(f"admin:messaging_conversation_{name}_conversation", args=[conversation.pk])
        assert client.get(url).status_code == 200
        client.post(url)
        assert (Conversation.across_organizations.get(pk=conversation.pk).closed_at is not None) == is_closed
    page = text(client.get(f"{list_of('conversation')}{conversation.pk}/change/"))
    assert "A word from aurora" in page


def test_page_of_an_account_says_what_waits(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = history.queued(aurora).account
    history.queued(aurora, to=BIA)
    page = f"/admin/delivery_channels/channelaccount/{account.pk}/change/"
    assert "messages that wait" in text(browser(aurora.admin.user).get(page)).lower()
    assert backlog.backlog(account) == "2"
    monkeypatch.setattr(pages, "MOST_COUNTED", 1)
    assert backlog.backlog(account) == "more than 1"


def test_menu_offers_messages_to_every_role(aurora: House) -> None:
    page = text(browser(aurora.viewer.user).get("/admin/"))
    for kind in ("message", "conversation", "contact", "deadletter"):
        assert list_of(kind) in page


def test_address_is_shown_to_those_who_may_read_messages(client: Client, aurora: House) -> None:
    history.queued(aurora)
    assert ANA in text(client.get(list_of("conversation")))
