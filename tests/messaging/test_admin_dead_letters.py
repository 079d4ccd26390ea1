"""Dead letters in the admin: by cause, one by one, and all that are alike."""

import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import AuditEvent, User
from apps.channels.errors import MessageRejected
from apps.messaging.dead_letters import clearings, step
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.engine.outcome import Result
from apps.messaging.models import Clearing, ClearingAction, DeadLetter, DeadLetterState, Message
from tests.cast import PASSWORD, House
from tests.messaging import history
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


def state_of(letter: DeadLetter) -> str:
    return DeadLetter.across_organizations.get(pk=letter.pk).state


def test_dead_letter_is_tried_again_once(client: Client, aurora: House) -> None:
    letter = history.dead(aurora)
    url = reverse("admin:messaging_deadletter_replay_letter", args=[letter.pk])
    assert client.get(url).status_code == 200
    assert state_of(letter) == "open"
    client.post(url)
    assert state_of(letter) == "replaying"
    assert "is being tried again" in text(client.post(url, follow=True))


def test_dead_letter_is_discarded_for_a_reason(client: Client, aurora: House) -> None:
    letter = history.dead(aurora)
    url = reverse("admin:messaging_deadletter_discard_letter", args=[letter.pk])
    client.post(url, {"reason": ""})
    assert state_of(letter) == "open"
    client.post(url, {"reason": "too old"})
    letter.refresh_from_db()
    assert (letter.state, letter.discard_reason) == ("discarded", "too old")


def three_letters(aurora: House) -> list[DeadLetter]:
    return [history.dead(aurora, to=f"+551191234561{number}", code=f"13104{number}") for number in range(3)]


def choose(client: Client, action: str, *letters: DeadLetter) -> Any:
    body = {"action": action, "_selected_action": [str(letter.pk) for letter in letters]}
    return client.post(list_of("deadletter"), body)


def test_selected_are_tried_again(client: Client, aurora: House, boreal: House) -> None:
    first, second, third = three_letters(aurora)
    theirs = history.dead(boreal)
    choose(client, "replay_selected", first, third, theirs)
    assert [state_of(each) for each in (first, second, third, theirs)] == [
        "replaying",
        "open",
        "replaying",
        "open",
    ]
    assert Message.across_organizations.get(pk=first.message_id).priority == 0


def test_superuser_tries_those_of_several_organizations_again(root: Client, aurora: House, boreal: House) -> None:
    letters = [history.dead(aurora), history.dead(boreal)]
    choose(root, "replay_selected", *letters)
    assert [state_of(each) for each in letters] == ["replaying", "replaying"]
    trail = AuditEvent.across_organizations.filter(action="dead_letters.replayed")
    assert set(trail.values_list("organization__slug", flat=True)) == {"aurora", "boreal"}


def test_selected_are_discarded_after_a_reason_was_given(client: Client, aurora: House, boreal: House) -> None:
    first, second, _ = three_letters(aurora)
    theirs = history.dead(boreal)
    page = choose(client, "discard_selected", first, second)["Location"]
    assert "2 dead letters" in text(client.get(page))
    client.post(page, {"reason": ""})
    assert state_of(first) == "open"
    forged = f"{page}%2C{theirs.pk}%2Cnonsense"
    assert "2 are discarded" in text(client.post(forged, {"reason": "too old"}, follow=True))
    assert [state_of(each) for each in (first, second, theirs)] == ["discarded", "discarded", "open"]


def test_more_than_can_be_chosen_by_hand_are_led_to_the_criteria(
    client: Client, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.messaging.admin.dead_letter._MOST_BY_HAND", 1)
    letters = [history.dead(aurora), history.dead(aurora)]
    for action in ("replay_selected", "discard_selected"):
        chosen = {"action": action, "_selected_action": [str(each.pk) for each in letters], "select_across": "1"}
        page = text(client.post(reverse("admin:messaging_deadletter_changelist"), chosen, follow=True))
        assert "At most 1 can be chosen by hand" in page
    assert [state_of(each) for each in letters] == ["open", "open"]


def test_filter_of_the_list_goes_along_to_the_criteria(client: Client, aurora: House) -> None:
    account = history.dead(aurora).account
    address, asked = reverse("admin:messaging_deadletter_changelist"), "until=2030-01-01T00:00:00"
    filters = f"account={account.pk}&error=transient&code=503&state=failed_again&{asked}"
    page = client.get(f"{address}?{filters}").content.decode()
    (way,) = re.findall(r'href="([^"]*clear/\?action=discard&amp;account=[^"]*before[^"]*)"', page)
    form = client.get(html.unescape(way)).context["which"]
    assert form.is_valid()
    assert form.selection == Selection(
        account_id=account.pk,
        error_class="transient",
        error_code="503",
        created_before=datetime(2030, 1, 1, tzinfo=UTC),
        failed_again=True,
    )


def test_all_that_are_alike_are_counted_first(client: Client, root: Client, aurora: House, boreal: House) -> None:
    first, second, third = three_letters(aurora)
    theirs = history.dead(boreal)
    url = reverse("admin:messaging_deadletter_clear")
    assert "3 open dead letters match" in text(client.get(url))
    narrowed = f"{url}?action=replay&error_code=131041"
    assert "1 open dead letter matches" in text(client.get(narrowed))
    assert not Clearing.across_organizations.exists()
    page = client.post(narrowed, {"per_second": "10"}, follow=True)
    assert "0 of 1 had their turn" in text(page)
    step.go_on()
    assert [state_of(each) for each in (first, second, third)] == ["open", "replaying", "open"]
    # Another's account is none that could be chosen.
    assert "match" not in text(client.get(f"{url}?action=replay&account={theirs.account_id}"))
    # A superuser says whose.
    assert "match" not in text(root.get(f"{url}?action=replay&kind="))
    root.post(f"{url}?action=replay&account={theirs.account_id}", {"per_second": "10"})
    step.go_on()
    assert [state_of(each) for each in (first, theirs)] == ["open", "replaying"]


def test_discarding_all_that_are_alike_needs_a_reason(client: Client, aurora: House) -> None:
    letters = three_letters(aurora)
    url = reverse("admin:messaging_deadletter_clear") + "?action=discard"
    assert "Discard 3 dead letters" in text(client.get(url))
    client.post(url, {"per_second": "10", "reason": " "})
    assert not Clearing.across_organizations.exists()
    client.post(url, {"per_second": "10", "reason": "too old"})
    step.go_on()
    assert {state_of(each) for each in letters} == {"discarded"}


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00%2B23:59", "x"])
def test_time_that_is_none_is_said(client: Client, aurora: House, moment: str) -> None:
    three_letters(aurora)
    url = reverse("admin:messaging_deadletter_clear")
    page = text(client.get(f"{url}?action=replay&created_before={moment}"))
    assert "open dead letters match" not in page


def test_causes_come_with_what_can_be_done(client: Client, aurora: House, boreal: House) -> None:
    three_letters(aurora)
    again = history.dead(aurora, to="+5511912345619", code="131041")
    history.dead(boreal, code="131099")
    choose(client, "replay_selected", again)
    history.leave(again.message, Result.FAILED, MessageRejected("131041", "more than a day since they wrote"))
    page = client.get(list_of("deadletter"))
    found = [(cause.error_code, cause.count, cause.failed_again) for cause, _ in page.context["causes"]]
    assert found[0] == ("131041", 2, 1)
    assert sorted(found[1:]) == [("131040", 1, 0), ("131042", 1, 0)]
    assert "131099" not in text(page)
    ways = re.findall(r'href="([^"]*/clear/[^"]*error_code=131041)"', text(page))
    assert "2 open dead letters match" in text(client.get(ways[0].replace("&amp;", "&")))
    assert "failed again, 1 time" in text(page)
    assert rows(client, "deadletter", "state=failed_again") == [str(again.pk)]
    assert str(again.pk) not in rows(client, "deadletter", "state=untouched")


def test_clearing_is_held_and_ended_on_its_page(client: Client, aurora: House, boreal: House) -> None:
    three_letters(aurora)
    history.dead(boreal)
    clearing = clearings.start(aurora.principal(), ClearingAction.REPLAY, Selection(), per_second=1)
    theirs = clearings.start(boreal.principal(), ClearingAction.REPLAY, Selection())
    page = f"{list_of('clearing')}{clearing.pk}/"
    assert rows(client, "clearing") == [str(clearing.pk)]
    offered = text(client.get(f"{page}change/"))
    assert f"{page}pause" in offered
    assert f"{page}resume" not in offered
    for turn, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        url = reverse(f"admin:messaging_clearing_{turn}_clearing", args=[clearing.pk])
        assert client.get(url).status_code == 200
        client.post(url)
        clearing.refresh_from_db()
        assert clearing.state == state
    assert "finished, or was cancelled" in text(client.post(url, follow=True))
    progress = reverse("admin:messaging_clearing_progress", args=[clearing.pk])
    assert "0 of 3" in text(client.get(progress))
    assert client.get(reverse("admin:messaging_clearing_progress", args=[theirs.pk])).status_code == 404


@pytest.mark.parametrize("page", ["clear/", "discard-many/?ids=x", "{0}/replay/", "{0}/discard/"], ids=range(4))
def test_viewer_acts_on_nothing(aurora: House, page: str) -> None:
    letter = history.dead(aurora)
    viewer = browser(aurora.viewer.user)
    assert str(letter.pk) in rows(viewer, "deadletter")
    assert viewer.post(list_of("deadletter") + page.format(letter.pk), {"reason": "x"}).status_code == 403
    choose(viewer, "replay_selected", letter)
    assert state_of(letter) == DeadLetterState.OPEN
