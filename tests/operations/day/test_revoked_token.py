"""A token is revoked at the provider: the account pauses itself, and an operator has it go on again."""

import pytest

from apps.channels.models import ChannelAccount
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, NewMessage
from apps.messaging.models import DeadLetter, Message
from tests.cast import House
from tests.messaging.desk import ANA, open_account
from tests.messaging.provider import Provider
from tests.operations.day.conftest import SitDown, Workers, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
OLD, NEW = "the-token-that-was-revoked", "the-token-that-came-after-it"


def write(house: House, account: ChannelAccount, *texts: str) -> None:
    answers = accept(house.organization, [NewMessage(text, account.id, ANA) for text in texts])
    assert all(isinstance(answer, Accepted) for answer in answers)


def statuses() -> set[str]:
    return set(Message.across_organizations.values_list("status", flat=True))


def test_account_whose_token_was_revoked_is_mended_in_the_admin(
    aurora: House, provider: Provider, workers: Workers, sit_down: SitDown
) -> None:
    account = open_account(aurora, "whatsapp_cloud", name="balcão", credentials={"access_token": OLD})
    write(aurora, account, "before")
    wait_for(lambda: statuses() == {"sent"})

    provider.break_with({"kind": "invalid_token", "token": OLD})
    write(aurora, account, "1", "2", "3")
    operator = sit_down(aurora.owner.user)
    # The first page keeps itself up to date.
    operator.see("#overview tr", text="paused", seconds=30).get_by_role("link", name=account.name).click()

    alert = operator.see(".account-alert", text="The provider refuses this account, so it paused itself.")
    assert "190" in alert.inner_text()
    operator.follow("Put new credentials in, and save", ".account-alert")
    operator.until("location.hash === '#id_credential_access_token'")
    operator.page.fill("[name=credential_access_token]", NEW)
    operator.press("Save and continue editing")
    operator.says("was changed successfully")

    operator.follow("Verify", ".account-alert")
    operator.press("Verify")
    operator.says("The provider takes the credentials of")
    operator.says("It is still paused. Resume it, and what waits leaves.")
    assert len(provider.received_by(ANA)) == 1

    operator.follow("Resume", ".account-alert")
    operator.press("Resume")
    operator.says("goes on.")
    assert not operator.find(".account-alert").count()
    wait_for(lambda: statuses() == {"sent"})
    sent = Message.across_organizations.order_by("id").values_list("pk", flat=True)
    assert provider.received_by(ANA) == [str(pk) for pk in sent]
    assert not DeadLetter.across_organizations.exists()

    operator.follow("Messages")
    assert operator.see("#result_list tbody tr", text="sent").count() == 4
    # Without a word of it, the first page sees it too.
    operator.follow("Overview")
    operator.see("#overview tr", text="live")
