"""A test message from an account's page: it goes the way of all messages, and its page tells the rest."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import AuditEvent
from apps.accounts.roles import SCOPES_OF, Scope
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.messaging.models import Message
from apps.messaging.statuses import Priority
from tests.cast import House, add_channel_account
from tests.messaging.history import ANA, account_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return account_of(aurora)


@pytest.fixture
def client(aurora: House, settings: Settings) -> Client:
    settings.ADMIN_REQUIRES_MFA = False
    client = Client()
    client.force_login(aurora.owner.user)
    return client


def page_of(account: ChannelAccount) -> str:
    return f"/admin/delivery_channels/channelaccount/{account.pk}/test-message/"


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def test_test_message_is_accepted_and_its_page_opens(
    client: Client, aurora: House, account: ChannelAccount
) -> None:
    form = text(client.get(page_of(account)))
    assert f"This is a test from Recado. If you can read it, {account.name} works." in form
    assert "+5511912345678" in form
    answer = client.post(page_of(account), {"to": " +55 11 91234-5601 ", "text": "Testando"}, follow=True)
    message = Message.across_organizations.get()
    assert (message.text, message.priority, message.metadata) == ("Testando", Priority.HIGH, {"test": True})
    assert (message.category, message.conversation.address) == ("transactional", ANA)
    assert answer.redirect_chain[-1][0] == f"/admin/messaging/message/{message.pk}/change/"
    assert "The test is on its way" in text(answer)
    tested = AuditEvent.across_organizations.get(action="channel_account.tested")
    assert tested.changes == {"message_id": [None, str(message.pk)]}


@pytest.mark.parametrize(
    ("connector", "to", "complaint"),
    [
        ("whatsapp_cloud", "5511912345601", "no phone number in international form"),
        ("email", "ana at aurora", "no e-mail address"),
        ("telegram", "ana", "no id of a Telegram chat"),
        ("webhook", "ftp://x", "no URL that may be called"),
    ],
)
def test_address_is_of_the_channels_kind(
    client: Client, aurora: House, connector: str, to: str, complaint: str
) -> None:
    account = account_of(aurora, connector)
    assert complaint in text(client.post(page_of(account), {"to": to, "text": "x"}))
    assert not Message.across_organizations.exists()


def test_mail_has_a_subject(client: Client, aurora: House) -> None:
    account = account_of(aurora, "email")
    client.post(page_of(account), {"to": "ana@exemplo.com", "text": "x"})
    assert Message.across_organizations.get().content["subject"] == "Test message"


def test_refusal_is_said_on_the_form(client: Client, aurora: House, account: ChannelAccount) -> None:
    accounts.drain(aurora.principal(), account, reason="we move")
    page = text(client.post(page_of(account), {"to": ANA, "text": "x"}))
    assert "This account takes no new messages: we move." in page
    assert not Message.across_organizations.exists()


def test_time_to_reply_is_told_before_it_refuses(client: Client, aurora: House) -> None:
    account = add_channel_account(aurora, name="x", reply_window="enforced")
    assert "within the last 24 hours" in text(client.get(page_of(account)))
    assert "people can be written to freely" in text(client.post(page_of(account), {"to": ANA, "text": "x"}))


def test_paused_account_tells_that_it_waits(client: Client, aurora: House, account: ChannelAccount) -> None:
    accounts.pause(aurora.principal(), account, reason="x")
    assert "The account is paused" in text(client.get(page_of(account)))


def test_whoever_changes_accounts_may_send() -> None:
    """So that the button leads nobody to a refusal."""
    for scopes in SCOPES_OF.values():
        assert Scope.CHANNELS_WRITE not in scopes or Scope.MESSAGES_WRITE in scopes
