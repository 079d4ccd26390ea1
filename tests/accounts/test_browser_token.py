"""A page in a browser gets tokens for as long as its person is logged in, and only in their organizations."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from apps.accounts import members
from apps.accounts.models import AuditEvent, Session
from apps.accounts.principal import Principal
from apps.accounts.roles import Role
from apps.core import clock
from apps.core.ids import new_id
from tests.cast import PASSWORD, Api, House, add_member

pytestmark = pytest.mark.django_db
PATH = "/accounts/token"


def logged_in(email: str = "owner@aurora.example") -> Client:
    client = Client(raise_request_exception=False)
    answer = client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


def ask(client: Client, **wanted: Any) -> Any:
    return client.post(PATH, wanted, content_type="application/json")


def opens(token: str) -> bool:
    status: int = Api(f"Bearer {token}").get("/v1/me").status_code
    assert status in {200, 401}
    return status == 200


def test_person_who_is_logged_in_gets_a_token_and_learns_where_they_are(aurora: House) -> None:
    answer = ask(logged_in())
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    body = answer.json()
    assert opens(body["access"])
    assert body["expires_in"] == 15 * 60
    assert body["user"]["email"] == "owner@aurora.example"
    here = {"id": str(aurora.organization.id), "name": "Padaria Aurora"}
    assert (body["organization"], body["organizations"]) == (here, [here])
    assert "messages:write" in body["scopes"]
    assert "messages:write" not in ask(logged_in("viewer@aurora.example")).json()["scopes"]


def test_another_site_cannot_ask_for_a_token(aurora: House) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(aurora.owner.user)
    assert ask(strict).status_code == 403
    assert not Session.across_organizations.exists()


def test_nobody_is_refused(aurora: House) -> None:
    answer = ask(Client())
    assert (answer.status_code, answer.json()["code"]) == (401, "logged_out")
    assert Client().get(PATH).status_code == 405


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"organization_id": "x"}', b'{"organization_id": 7}', b"\xff"])
def test_what_is_no_organization_is_refused(aurora: House, body: bytes) -> None:
    answer = logged_in().generic("POST", PATH, body, content_type="application/json")
    assert answer.status_code == 400


def test_many_pages_of_a_browser_share_one_session(aurora: House) -> None:
    client = logged_in()
    tokens = [ask(client).json()["access"] for _ in range(3)]
    assert all(map(opens, tokens))
    assert Session.across_organizations.count() == 1
    assert AuditEvent.across_organizations.filter(action="session.opened").count() == 1
    ask(logged_in())
    assert Session.across_organizations.count() == 2


@pytest.mark.django_db(transaction=True)
def test_pages_that_ask_at_once_share_one_session(aurora: House) -> None:
    """Else log-out would know of one of them only."""
    key = logged_in().cookies["sessionid"].value

    def one_tab(_number: int) -> int:
        client = Client()
        client.cookies["sessionid"] = key
        try:
            return int(ask(client).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as tabs:
        assert list(tabs.map(one_tab, range(4))) == [200] * 4
    assert Session.across_organizations.count() == 1


def test_log_out_kills_the_token(aurora: House, boreal: House) -> None:
    add_member(boreal.organization, "owner@aurora.example", Role.VIEWER)
    client = logged_in()
    tokens = [
        ask(client, organization_id=str(house.organization.id)).json()["access"] for house in (aurora, boreal)
    ]
    other = ask(logged_in()).json()["access"]
    assert all(map(opens, tokens))
    assert client.post("/accounts/logout/").status_code == 302
    assert not any(map(opens, tokens))
    assert opens(other), "that browser is still logged in"
    assert ask(client).status_code == 401


def end_by_hand(_house: House) -> None:
    Session.across_organizations.update(revoked_at=clock.now())


def end_by_time(_house: House) -> None:
    Session.across_organizations.update(expires_at=clock.now())


@pytest.mark.parametrize("end", [end_by_hand, end_by_time])
def test_session_that_ended_is_followed_by_another(aurora: House, end: Callable[[House], None]) -> None:
    client = logged_in()
    first = ask(client).json()["access"]
    end(aurora)
    assert not opens(first)
    assert opens(ask(client).json()["access"])


def test_removed_member_is_refused(aurora: House) -> None:
    client = logged_in("agent@aurora.example")
    token = ask(client).json()["access"]
    members.remove(Principal.of_membership(aurora.owner), aurora.agent)
    assert not opens(token)
    assert ask(client).json()["code"] == "no_membership"
    assert ask(client, organization_id=str(aurora.organization.id)).status_code == 404


def test_other_organization_does_not_exist(aurora: House, boreal: House) -> None:
    client = logged_in()
    theirs = ask(client, organization_id=str(boreal.organization.id))
    nobodys = ask(client, organization_id=str(new_id()))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() | {"request_id": ""} == nobodys.json() | {"request_id": ""}


def test_person_of_two_organizations_says_which_or_is_where_they_worked_last(
    aurora: House, boreal: House, settings: Settings
) -> None:
    settings.ADMIN_REQUIRES_MFA = False
    add_member(boreal.organization, "owner@aurora.example", Role.VIEWER)
    client = logged_in()
    assert ask(client).json()["organization"]["name"] == "Padaria Aurora"
    there = ask(client, organization_id=str(boreal.organization.id)).json()
    assert [each["name"] for each in there["organizations"]] == ["Padaria Aurora", "Livraria Boreal"]
    assert Api(f"Bearer {there['access']}").get("/v1/me").json()["organization"]["slug"] == "boreal"
    client.get(f"/admin/enter/{boreal.organization.id}/")
    assert ask(client).json()["organization"]["name"] == "Livraria Boreal"


def test_session_of_a_page_ends_with_the_browsers_and_cannot_be_refreshed(
    aurora: House, settings: Settings
) -> None:
    ask(logged_in())
    session = Session.across_organizations.get()
    refused = Api().post("/v1/auth/refresh", {"refresh": f"{session.id.hex}."})
    assert refused.status_code in {400, 401}
    assert session.expires_at <= clock.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
