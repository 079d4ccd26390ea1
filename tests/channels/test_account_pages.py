"""What the list and the page of a channel account say of its state, and what to do about it."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import User
from apps.channels import accounts
from apps.channels.liveness import AccountState, breaker_key, breaker_states, state_of
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.breaker import Breaker
from apps.core.redis import redis_client
from apps.operations.look import look
from tests.cast import CREDENTIALS, House, add_channel_account
from tests.messaging import history

pytestmark = pytest.mark.django_db
LIST = "/admin/delivery_channels/channelaccount/"


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return history.account_of(aurora)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client(aurora: House) -> Client:
    return browser(aurora.owner.user)


def page_of(account: ChannelAccount, page: str = "change/") -> str:
    return f"{LIST}{account.pk}/{page}"


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def refuse(account: ChannelAccount) -> None:
    account.refresh_from_db()
    assert accounts.pause_because_rejected(account.pk, account.version, "190 the token <expired>")


def break_it(account: ChannelAccount) -> None:
    for _ in range(account.breaker_failures):
        Breaker(redis_client()).failed(breaker_key(account), account.breaker_policy)


def state(account: ChannelAccount) -> AccountState:
    account.refresh_from_db()
    return state_of(account, breaker_states([account])[account.pk], clock.now())


def test_state_is_what_somebody_has_to_do_something_about(aurora: House, account: ChannelAccount) -> None:
    assert state(account) is AccountState.LIVE
    accounts.drain(aurora.principal(), account, reason="x")
    assert state(account) is AccountState.DRAINING
    break_it(account)
    assert state(account) is AccountState.FAILING
    refuse(account)
    assert state(account) is AccountState.REFUSED
    accounts.pause(aurora.principal(), account, reason="x")
    assert state(account) is AccountState.PAUSED


def test_list_says_it_at_a_glance(client: Client, aurora: House, account: ChannelAccount) -> None:
    history.queued(aurora)
    look()
    page = text(client.get(LIST))
    assert re.search(r"> live </span>", page)
    assert re.search(r'class="[^"]*field-waiting[^"]*"[^>]*>\s*1\s*<', page)
    refuse(account)
    page = text(client.get(LIST))
    assert "refused by the provider" in page
    assert "190 the token &lt;expired&gt;" in page
    accounts.resume(aurora.principal(), account)
    accounts.drain(aurora.principal(), account, reason="we move")
    assert re.search(r"> draining </span>.*we move", text(client.get(LIST)))
    break_it(account)
    assert re.search(r"> the provider fails </span>.*tried again in \d+ s", text(client.get(LIST)))


def test_list_takes_as_many_statements_for_many_as_for_one(
    client: Client, aurora: House, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def noting(accounts: list[ChannelAccount]) -> Any:
        asked.append(len(accounts))
        return breaker_states(accounts)

    monkeypatch.setattr("apps.channels.admin.live.breaker_states", noting)
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    for n in range(5):
        add_channel_account(aurora, name=str(n))
    look()
    asked.clear()
    with CaptureQueriesContext(connection) as many:
        client.get(LIST)
    assert len(many) == len(one)
    assert asked == [6]


def test_list_opens_without_redis(client: Client, account: ChannelAccount, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "live" in text(client.get(LIST))


def test_refused_account_says_what_to_do(client: Client, account: ChannelAccount) -> None:
    assert "account-alert" not in text(client.get(page_of(account)))
    refuse(account)
    page = text(client.get(page_of(account)))
    assert "The provider refuses this account, so it paused itself." in page
    assert "190 the token &lt;expired&gt;" in page
    alert = page[page.index('class="account-alert') : page.index("</section>")]
    target, *actions = re.findall(r'<a href="([^"]+)"', alert)
    assert f'id="{target.removeprefix("#")}"' in page
    assert actions == [page_of(account, "verify/"), page_of(account, "resume/")]


def test_viewer_is_offered_nothing_to_do(aurora: House, account: ChannelAccount) -> None:
    refuse(account)
    page = text(browser(aurora.viewer.user).get(page_of(account)))
    alert = page[page.index('class="account-alert') : page.index("</section>")]
    assert "190 the token" in alert
    assert "href" not in alert


def test_account_is_drained_until_nothing_waits(client: Client, aurora: House, account: ChannelAccount) -> None:
    message = history.queued(aurora)
    assert "people&#x27;s answers still come in" in text(client.get(page_of(account, "drain/")))
    assert "This field is required" in text(client.post(page_of(account, "drain/"), {"reason": ""}))
    assert client.post(page_of(account, "drain/"), {"reason": "Mudança"}).status_code == 302
    page = text(client.get(page_of(account)))
    assert "It is draining: it sends what it has, and takes no new messages." in page
    assert "Mudança" in page
    assert "nothing waits any more" not in page
    overview = text(client.get("/admin/overview/"))
    assert re.search(r"draining <span[^>]*>Mudança", overview)
    history.leave(message)
    assert "nothing waits any more: it can be switched off" in text(client.get(page_of(account)))
    assert "takes new messages again" in text(client.get(page_of(account, "resume/")))
    client.post(page_of(account, "resume/"))
    account.refresh_from_db()
    assert not account.is_draining(clock.now())


def test_paused_account_that_drains_may_go_on_draining(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    accounts.pause(aurora.principal(), account, reason="Férias")
    assert "It stays paused" in text(client.get(page_of(account, "drain/")))
    client.post(page_of(account, "drain/"), {"reason": "Mudança"})
    page = text(client.get(page_of(account)))
    assert "Férias" in page
    assert "It is draining too, and takes no new messages: Mudança" in page
    assert "keep_draining" in text(client.get(page_of(account, "resume/")))
    client.post(page_of(account, "resume/"), {"keep_draining": "on"})
    account.refresh_from_db()
    assert not account.is_paused(clock.now())
    assert account.is_draining(clock.now())


def test_page_says_how_fast_it_sends(client: Client, account: ChannelAccount) -> None:
    assert "0.0 messages a minute, over the last five" in text(client.get(page_of(account)))


def test_address_to_paste_stands_with_where_and_a_button(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    page = text(client.get(page_of(account)))
    assert f'value="{account.callback_url}"' in page
    assert 'data-copy="callback_url"' in page
    assert "accounts/copy.js" in page
    assert "as Verify token the credential verify_token" in page
    assert CREDENTIALS["whatsapp_cloud"]["verify_token"] not in page
    email = add_channel_account(aurora, "email")
    page = text(client.get(page_of(email)))
    assert "data-copy" not in page
    assert "nowhere: it never calls" in page


def test_address_is_checked(client: Client, aurora: House, account: ChannelAccount, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:1"
    assert "Nothing is sent to the provider" in text(client.get(page_of(account, "check-callback/")))
    page = text(client.post(page_of(account, "check-callback/"), follow=True))
    assert "Nobody takes calls at http://127.0.0.1:1/v1/hooks/whatsapp_cloud" in page


@pytest.mark.parametrize("page", ["drain/", "check-callback/", "test-message/"])
def test_stranger_and_viewer_do_none_of_it(
    aurora: House, boreal: House, account: ChannelAccount, page: str
) -> None:
    said = {"reason": "x", "to": history.ANA, "text": "x"}
    assert browser(aurora.viewer.user).post(page_of(account, page), said).status_code == 403
    assert browser(boreal.owner.user).post(page_of(account, page), said).status_code == 404
    account.refresh_from_db()
    assert account.draining_at is None
