"""A token is revoked at the provider: the account pauses, says why, and nothing is lost once it is mended."""

import pytest
from pytest_django import Settings

from apps.channels.registry import connector
from apps.messaging.engine.loop import Loop
from apps.messaging.models import DeadLetter
from tests.cast import Api, House
from tests.channels.test_admin import browser, page_of, text
from tests.messaging.desk import Desk, open_account
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)
OF_CONNECTOR = {
    "whatsapp_cloud": ("/whatsapp/v23.0", "+5511912345601", {"access_token": "a-new-token"}),
    "instagram": ("/instagram/v23.0", "1784140000000009", {"access_token": "a-new-token"}),
    "telegram": ("/telegram", "700800900", {"bot_token": "700100200:another-token-of-the-same-bot"}),
    "sms": ("/twilio", "+5511912345601", {"auth_token": "another-token-of-the-account"}),
}


@pytest.mark.parametrize("name", OF_CONNECTOR)
def test_account_whose_token_is_revoked_goes_on_once_it_is_mended(
    aurora: House, owner: Api, loop: Loop, provider: Provider, settings: Settings, name: str
) -> None:
    path, person, mended = OF_CONNECTOR[name]
    settings.ADMIN_REQUIRES_MFA = False
    settings.CONNECTOR_URLS = {name: provider.url + path}
    connector.cache_clear()
    account = open_account(aurora, name, recipient_rate_per_second=None, recipient_burst=None)
    desk = Desk(aurora.organization, account, loop)
    provider.break_with({"kind": "invalid_token"})
    messages = desk.accept("1", "2", "3", to=person)
    desk.drain()

    shown = owner.get(f"/v1/channel-accounts/{account.id}").json()["paused"]
    assert shown["reason"]
    assert shown["reason"] in text(browser(aurora.owner.user).get(page_of(account)))
    assert owner.post(f"/v1/channel-accounts/{account.id}/verify").json()["error"]["class"] == "account_rejected"
    later = desk.accept("4", to=person)
    assert "claimed" not in desk.drain()

    provider.break_with()
    assert owner.patch(f"/v1/channel-accounts/{account.id}", {"credentials": mended}).status_code == 200
    assert owner.post(f"/v1/channel-accounts/{account.id}/verify").json() == {"ok": True, "error": None}
    assert owner.post(f"/v1/channel-accounts/{account.id}/resume").json()["paused"] is None
    for _ in range(3):
        desk.drain()
        desk.let_pass(10)
    assert desk.statuses([*messages, *later]) == ["sent"] * 4
    assert not DeadLetter.across_organizations.exists()
