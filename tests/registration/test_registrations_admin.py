"""Registrations in the admin: how far each is, given back or cancelled by the team, and nothing that was told."""

from typing import Any

import pytest
from django.contrib.admin.templatetags.admin_list import result_headers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import formats, timezone
from pytest_django import Settings

from apps.channels.models import ChannelAccount
from apps.messaging.models import ConversationLabel
from apps.registration.applying import apply
from apps.registration.models import Registration, RegistrationFlow
from tests.cast import House
from tests.live.test_views import browser_of
from tests.messaging.desk import BIA
from tests.registration.talks import Person, counter, live_flow

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/registration/registration/"
NAME, EMAIL = "Ana Maria Lima", "ana.lima@exemplo.com.br"


@pytest.fixture(autouse=True)
def _without_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def client(aurora: House) -> Client:
    return browser_of(aurora.agent.user)


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return counter(aurora)


@pytest.fixture
def flow(aurora: House, account: ChannelAccount) -> RegistrationFlow:
    return live_flow(aurora, account)


@pytest.fixture
def ana(flow: RegistrationFlow, account: ChannelAccount) -> Person:
    person = Person(account)
    person.says("cadastro", "sim", NAME)
    return person


def shown(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def page(registration: Registration, action: str = "change") -> str:
    return reverse(f"admin:registration_registration_{action}", args=[registration.pk])


def test_page_leads_to_the_conversation_and_shows_nothing_that_was_told(client: Client, ana: Person) -> None:
    registration = ana.registration
    text = shown(client.get(page(registration)))
    assert reverse("admin:messaging_conversation_change", args=[registration.conversation_id]) in text
    assert "answering questions" in text
    assert "E-mail" in text
    assert NAME not in text
    assert NAME not in shown(client.get(LIST))


def test_where_it_stands_is_said_where_no_question_is_open(client: Client, ana: Person) -> None:
    ana.says(EMAIL, "não")
    assert "Whether all of it is right" in shown(client.get(LIST))


def test_only_what_can_still_be_done_is_offered(client: Client, ana: Person) -> None:
    registration = ana.registration

    def offered() -> list[str]:
        text = shown(client.get(page(registration)))
        acts = ("hand_back_registration", "cancel_registration")
        return [each for each in acts if f'"{page(registration, each)}"' in text]

    assert offered() == ["cancel_registration"]
    ana.says("quero falar com uma pessoa")
    assert offered() == ["hand_back_registration", "cancel_registration"]
    client.post(page(registration, "cancel_registration"))
    assert offered() == []


def test_list_begins_with_when_and_how_it_stands(client: Client, ana: Person) -> None:
    answer = client.get(LIST)
    first, second, *_others = result_headers(answer.context["cl"])
    assert (first["text"], second["text"]) == ("started", "state")
    started = timezone.localtime(ana.registration.started_at)
    assert formats.date_format(started, "SHORT_DATETIME_FORMAT") in shown(answer)


def test_button_that_leaves_the_page_does_not_say_that_it_ends_something(client: Client, ana: Person) -> None:
    text = shown(client.get(page(ana.registration), headers={"Accept-Language": "pt-BR"}))
    assert "Fechar" in text
    assert "Encerrar" not in text
    conversation = reverse("admin:messaging_conversation_change", args=[ana.registration.conversation_id])
    assert "Encerrar" in shown(client.get(conversation, headers={"Accept-Language": "pt-BR"}))


def test_it_is_handed_back_from_the_conversation_where_the_team_reads_it(
    client: Client, aurora: House, ana: Person
) -> None:
    conversation = reverse("admin:messaging_conversation_change", args=[ana.registration.conversation_id])
    back = page(ana.registration, "hand_back_registration")
    assert "answering questions" in shown(client.get(conversation))
    assert back not in shown(client.get(conversation))
    ana.says("quero falar com uma pessoa")
    assert back in shown(client.get(conversation))
    assert back not in shown(browser_of(aurora.viewer.user).get(conversation))
    assert client.post(back).status_code == 302
    assert ana.registration.state == "asking"
    ana.says("não quero mais")
    assert page(ana.registration) not in shown(client.get(conversation))


def test_only_those_who_see_people_are_led_to_them(client: Client, aurora: House, ana: Person) -> None:
    ana.says(EMAIL, "não", "sim")
    assert apply.apply(ana.registration.id)
    registration = ana.registration
    link = reverse("admin:registration_person", args=[aurora.organization.pk, registration.person_id])
    assert link not in shown(client.get(page(registration)))
    assert link in shown(browser_of(aurora.admin.user).get(page(registration)))


def test_list_is_filtered_by_state_and_flow(
    client: Client, aurora: House, account: ChannelAccount, ana: Person, flow: RegistrationFlow
) -> None:
    live_flow(aurora, account, name="Other", keywords=["other"])
    Person(account, BIA).says("other", "não")

    def found(query: str) -> list[str]:
        return [each.state for each in client.get(f"{LIST}?{query}").context["cl"].result_list]

    assert found("") == ["declined", "asking"]
    assert found("state=asking") == ["asking"]
    assert found(f"flow={flow.pk}") == ["asking"]
    assert found(f"flow={flow.pk}&state=declined") == []
    assert found(f"q={ana.registration.pk}") == ["asking"]
    assert client.get(f"{LIST}?flow=x").status_code == 302


def test_list_takes_as_many_statements_for_many_as_for_one(
    client: Client, account: ChannelAccount, flow: RegistrationFlow
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            shown(client.get(LIST))
        return len(captured)

    Person(account).says("cadastro")
    statements()
    for_one = statements()
    for n in range(2, 6):
        Person(account, f"+551191234560{n}").says("cadastro")
    assert statements() == for_one


def test_registration_with_a_person_is_handed_back(client: Client, ana: Person) -> None:
    ana.says("quero falar com uma pessoa")
    assert ConversationLabel.across_organizations.exists()
    assert "is asked again, from where it stopped" in shown(
        client.get(page(ana.registration, "hand_back_registration"))
    )
    assert ana.registration.state == "with_person"
    client.post(page(ana.registration, "hand_back_registration"))
    assert ana.registration.state == "asking"
    assert "e-mail" in ana.answers()[-1]
    assert not ConversationLabel.across_organizations.exists()
    refused = client.post(page(ana.registration, "hand_back_registration"), follow=True)
    assert "there is nothing to hand back" in shown(refused)


def test_registration_is_cancelled_after_asking(client: Client, ana: Person) -> None:
    said = ana.answers()
    assert "nothing is kept of it" in shown(client.get(page(ana.registration, "cancel_registration")))
    assert ana.registration.is_running
    client.post(page(ana.registration, "cancel_registration"))
    assert ana.registration.state == "cancelled"
    assert ana.answers() == said
    refused = client.post(page(ana.registration, "cancel_registration"), follow=True)
    assert "This registration has ended" in shown(refused)


def test_viewer_reads_and_changes_nothing(aurora: House, ana: Person) -> None:
    client = browser_of(aurora.viewer.user)
    assert shown(client.get(page(ana.registration)))
    for action in ("hand_back_registration", "cancel_registration"):
        assert client.post(page(ana.registration, action)).status_code == 403
    assert client.post(page(ana.registration), {"state": "cancelled"}).status_code == 403
    assert ana.registration.is_running


def test_strangers_see_no_registration(boreal: House, ana: Person) -> None:
    client = browser_of(boreal.owner.user)
    assert client.get(LIST).context["cl"].result_count == 0
    assert client.get(page(ana.registration)).status_code == 302
    assert client.post(page(ana.registration, "cancel_registration")).status_code == 404
    assert ana.registration.is_running
