"""Webhooks in the admin: the same rules as in the API, and a secret on one page, once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import User
from apps.callbacks.models import WebhookDelivery, WebhookEndpoint
from tests.callbacks.office import add_delivery, add_endpoint
from tests.cast import PASSWORD, House

pytestmark = pytest.mark.django_db
ENDPOINTS = "/admin/callbacks/webhookendpoint/"
DELIVERIES = "/admin/callbacks/webhookdelivery/"
HOOK = "https://app.aurora.example/hooks"


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client(aurora: House) -> Client:
    return browser(aurora.owner.user)


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    content: str = answer.content.decode()
    return content


def action_of(model: type[Any], name: str, pk: object) -> str:
    return reverse(f"admin:callbacks_{model._meta.model_name}_{name}", args=[pk])


def test_endpoint_is_added_with_its_secret_shown_once(client: Client) -> None:
    page = client.post(f"{ENDPOINTS}add/", {"url": HOOK, "event_types": ["message.read"]})
    assert "no-store" in page["Cache-Control"]
    endpoint = WebhookEndpoint.across_organizations.get()
    assert (endpoint.url, endpoint.event_types) == (HOOK, ["message.read"])
    assert endpoint.secret in text(page)
    for address in (ENDPOINTS, f"{ENDPOINTS}{endpoint.pk}/change/"):
        assert "whsec_" not in text(client.get(address))


def test_address_that_leads_inside_is_refused_at_its_field(client: Client) -> None:
    page = text(client.post(f"{ENDPOINTS}add/", {"url": "https://127.0.0.1/hooks"}))
    assert "is a loopback address" in page
    assert not WebhookEndpoint.across_organizations.exists()


def test_endpoint_is_changed_disabled_enabled_and_removed(client: Client, aurora: House) -> None:
    endpoint = add_endpoint(aurora, HOOK)
    page = f"{ENDPOINTS}{endpoint.pk}/change/"
    assert client.post(page, {"url": HOOK, "description": "the shop"}).status_code == 302
    for name, is_enabled in (("disable_endpoint", False), ("enable_endpoint", True)):
        address = action_of(WebhookEndpoint, name, endpoint.pk)
        assert client.get(address).status_code == 200
        client.post(address)
        endpoint = WebhookEndpoint.across_organizations.get()
        assert (endpoint.is_enabled, endpoint.description) == (is_enabled, "the shop")
        text(client.get(page))
    client.post(f"{ENDPOINTS}{endpoint.pk}/delete/", {"post": "yes"})
    assert not WebhookEndpoint.across_organizations.exists()


def test_new_secret_is_shown_once(client: Client, aurora: House) -> None:
    endpoint = add_endpoint(aurora)
    address = action_of(WebhookEndpoint, "rotate_secret", endpoint.pk)
    assert "whsec_" not in text(client.get(address))
    (shown,) = set(re.findall(r"whsec_[\w+/=]+", text(client.post(address))))
    rotated = WebhookEndpoint.across_organizations.get()
    assert shown.rstrip("=") == rotated.secret.rstrip("=") != endpoint.secret


def test_test_leads_to_its_delivery_and_a_disabled_endpoint_says_so(client: Client, aurora: House) -> None:
    endpoint = add_endpoint(aurora)
    address = action_of(WebhookEndpoint, "test_endpoint", endpoint.pk)
    page = text(client.post(address, follow=True))
    assert "test.ping" in page
    client.post(action_of(WebhookEndpoint, "disable_endpoint", endpoint.pk))
    assert "This endpoint is disabled" in text(client.post(address, follow=True))
    assert WebhookDelivery.across_organizations.count() == 1


def test_deliveries_are_found_and_sent_again(client: Client, aurora: House, boreal: House) -> None:
    failed, other = add_delivery(aurora, state="failed", attempts=10), add_delivery(aurora, state="failed")
    theirs = add_delivery(boreal)
    gone = add_delivery(aurora)
    gone.endpoint.delete()

    def rows(query: str) -> set[str]:
        return {str(row.pk) for row in client.get(f"{DELIVERIES}?{query}").context["cl"].result_list}

    assert rows("") == rows("state=failed") == {str(failed.pk), str(other.pk)}
    assert rows(f"endpoint={failed.endpoint_id}") == rows(f"q={failed.pk}") == {str(failed.pk)}
    assert rows(f"q={failed.event_id}") == {str(failed.pk)}
    assert (
        rows(f"q={theirs.event_id}") == rows(f"q={theirs.pk}") == rows(f"endpoint={theirs.endpoint_id}") == set()
    )
    assert rows("state=waiting") == set()
    assert failed.event_id in text(client.get(f"{DELIVERIES}{failed.pk}/change/"))

    client.post(action_of(WebhookDelivery, "replay_delivery", failed.pk))
    client.post(DELIVERIES, {"action": "replay_selected", "_selected_action": [str(other.pk), str(theirs.pk)]})
    for delivery in (failed, other):
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("waiting", 0)
    assert client.post(action_of(WebhookDelivery, "replay_delivery", theirs.pk)).status_code == 404


@pytest.mark.parametrize("make", [add_endpoint, add_delivery])
def test_agents_and_strangers_see_nothing(aurora: House, boreal: House, make: Callable[[House], Model]) -> None:
    thing = make(aurora)
    page = f"/admin/callbacks/{thing._meta.model_name}/{thing.pk}/change/"
    assert browser(aurora.agent.user).get(page).status_code == 403
    assert browser(boreal.owner.user).get(page).status_code == 302
    root = browser(User.objects.create_superuser("root@recado.example", PASSWORD))
    assert root.get(page).status_code == 200
