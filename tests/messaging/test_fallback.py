"""Another way to the same person, when a message did not arrive; and never when it may have."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.messaging.engine import order
from apps.messaging.engine.fallback import take_due
from apps.messaging.engine.new_message import Accepted, NewMessage, Refused, Step
from apps.messaging.engine.recover import recover
from apps.messaging.models import DeadLetter, Message, MessageEvent, MessageFallback
from tests.cast import House
from tests.messaging.callbacks import work_on_callbacks
from tests.messaging.desk import ANA, Desk, open_account
from tests.messaging.provider import Provider
from tests.messaging.test_receipts import deliver_receipts, status, store_unread

pytestmark = pytest.mark.django_db(transaction=True)
IG = "1784140000000009"


@pytest.fixture
def other(aurora: House, desk: Desk) -> ChannelAccount:
    return open_account(aurora, "instagram")


def send(desk: Desk, other: ChannelAccount, **values: Any) -> UUID:
    given: dict[str, Any] = {"fallback": (Step(account_id=other.id, to=IG),), **values}
    (message,) = desk.accept("Oi", **given)
    return message


def let_pass(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE message_fallback SET due_at = due_at - make_interval(secs => %s)", [seconds])


def replacement(message: UUID) -> Message | None:
    return Message.across_organizations.filter(fallback_of_id=message).first()


def test_message_that_is_refused_goes_another_way(desk: Desk, other: ChannelAccount, provider: Provider) -> None:
    provider.break_with({"kind": "blocked", "to": ANA.removeprefix("+")})
    message = send(desk, other)
    desk.drain()
    taken = replacement(message)
    assert taken is not None
    assert (taken.account_id, taken.text, taken.status) == (other.id, "Oi", "queued")
    assert desk.story(message) == ["queued", "sending", "failed", "fell_back"]
    told = MessageEvent.across_organizations.get(message=message, kind="fell_back").detail
    assert told["message_id"] == str(taken.id)
    assert (told["channel"], told["error"], told["status"]) == ("instagram", "recipient_rejected", "failed")
    assert not DeadLetter.across_organizations.exists()
    assert not MessageFallback.across_organizations.exists()


def test_exhausted_attempts_go_another_way(desk: Desk, other: ChannelAccount, provider: Provider) -> None:
    desk.change(retry_attempts=1, breaker_failures=50)
    provider.break_with({"kind": "server_error", "provider": "whatsapp"})
    message = send(desk, other)
    desk.drain()
    assert replacement(message) is not None


def test_failure_that_is_told_later_goes_another_way(desk: Desk, other: ChannelAccount) -> None:
    message = send(desk, other)
    desk.drain()
    deliver_receipts(status("failed", message, errors=[{"code": 131026, "title": "x"}]))
    assert take_due() == 1
    assert replacement(message) is not None
    assert not DeadLetter.across_organizations.exists()


def test_unknown_outcome_never_goes_another_way(desk: Desk, other: ChannelAccount, provider: Provider) -> None:
    desk.change(on_unknown="dead_letter", unknown_wait=0)
    provider.break_with({"kind": "cut_after"})
    message = send(desk, other)
    desk.drain()
    recover()
    assert desk.status(message) == "failed"
    let_pass(10**9)
    take_due()
    assert replacement(message) is None
    assert DeadLetter.across_organizations.get().error_class == "outcome_unknown"


def test_last_way_that_fails_is_a_dead_letter(desk: Desk, other: ChannelAccount, provider: Provider) -> None:
    provider.break_with({"kind": "blocked"})
    message = send(desk, other)
    desk.drain()
    taken = replacement(message)
    assert taken is not None
    Desk(desk.organization, other, desk.loop).drain()
    assert [letter.message_id for letter in DeadLetter.across_organizations.all()] == [taken.id]


def test_what_nobody_delivers_in_time_goes_another_way(desk: Desk, other: ChannelAccount) -> None:
    message = send(desk, other, delivered_within=60)
    desk.drain()
    assert take_due() == 0
    let_pass(61)
    assert take_due() == 1
    assert replacement(message) is not None
    assert desk.status(message) == "sent"


def test_delivered_in_time_needs_no_other_way(desk: Desk, other: ChannelAccount) -> None:
    message = send(desk, other, delivered_within=60)
    desk.drain()
    deliver_receipts(status("delivered", message))
    let_pass(61)
    assert take_due() == 0
    assert replacement(message) is None


def test_nothing_goes_another_way_while_its_receipt_waits_to_be_read(desk: Desk, other: ChannelAccount) -> None:
    message = send(desk, other, delivered_within=60)
    desk.drain()
    store_unread(status("delivered", message))
    let_pass(61)
    assert take_due() == 0
    work_on_callbacks()
    take_due()
    assert replacement(message) is None


def test_what_waits_for_its_account_too_long_is_taken_back_first(desk: Desk, other: ChannelAccount) -> None:
    principal = Principal.of_system(desk.organization)
    accounts.pause(principal, desk.account, reason="maintenance")
    message = send(desk, other, delivered_within=60)
    let_pass(61)
    assert take_due() == 1
    assert desk.status(message) == "cancelled"
    assert replacement(message) is not None
    accounts.resume(principal, desk.account)
    desk.drain()
    assert desk.status(message) == "cancelled"


def test_what_waits_is_left_in_its_place_where_no_other_way_is_open(desk: Desk, other: ChannelAccount) -> None:
    principal = Principal.of_system(desk.organization)
    accounts.change(principal, other, reply_window="enforced")
    accounts.pause(principal, desk.account, reason="maintenance")
    message = send(desk, other, delivered_within=60)
    let_pass(61)
    take_due()
    assert desk.story(message) == ["queued"]
    accounts.resume(principal, desk.account)
    desk.drain()
    assert desk.status(message) == "sent"


def test_what_is_at_the_provider_is_waited_for(desk: Desk, other: ChannelAccount, provider: Provider) -> None:
    provider.break_with({"kind": "cut_after"})
    message = send(desk, other, delivered_within=60)
    desk.drain()
    let_pass(61)
    assert take_due() == 1
    assert replacement(message) is None
    assert MessageFallback.across_organizations.filter(message=message).exists()
    deliver_receipts(status("delivered", message))
    assert not MessageFallback.across_organizations.exists()


def test_step_that_cannot_be_taken_is_passed_over(desk: Desk, other: ChannelAccount, provider: Provider) -> None:
    """The first step would be outside the time to reply; the second is not."""
    provider.break_with({"kind": "blocked", "to": ANA.removeprefix("+")})
    accounts.change(Principal.of_system(desk.organization), other, reply_window="enforced")
    third = ChannelAccount.across_organizations.get(pk=desk.account.pk)
    message = send(desk, other, fallback=(Step(other.id, to=IG), Step(third.id, to="+5511912345699")))
    desk.drain()
    taken = replacement(message)
    assert taken is not None
    assert taken.account_id == third.id
    told = MessageEvent.across_organizations.get(message=message, kind="fell_back").detail
    assert told["refused"] == [{"account_id": str(other.id), "code": "outside_window"}]


def test_taken_once_by_whoever_comes_first(desk: Desk, other: ChannelAccount) -> None:
    message = send(desk, other, delivered_within=60)
    desk.drain()
    let_pass(61)
    assert (take_due(), take_due()) == (1, 0)
    assert Message.across_organizations.filter(fallback_of_id=message).count() == 1


def test_sweep_takes_what_a_dead_worker_left(desk: Desk, other: ChannelAccount, provider: Provider) -> None:
    provider.break_with({"kind": "blocked", "to": ANA.removeprefix("+")})
    message = send(desk, other, delivered_within=60)
    let_pass(61)
    assert recover()["fell_back"] == 1
    assert replacement(message) is not None


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"fallback": (Step(account_id=UUID(int=7)),)}, "fallback/0/account_id", "unknown_account"),
        ({"fallback": (Step(channel="instagram"),)}, "fallback/0/to", "required"),
        ({"fallback": (Step(channel="instagram", to="+55!"),)}, "fallback/0/to", "bad_address"),
        ({"fallback": (), "delivered_within": 60}, "delivered_within", "conflicting"),
    ],
)
def test_way_that_is_none_is_refused_early(
    desk: Desk, other: ChannelAccount, values: dict[str, Any], field: str, code: str
) -> None:
    (answer,) = desk.answers([NewMessage(text="Oi", account_id=desk.account.id, to=ANA, **values)])
    assert isinstance(answer, Refused)
    assert (answer.field, answer.code) == (field, code)


def test_stranger_is_no_way(desk: Desk, boreal: House) -> None:
    theirs = open_account(boreal, "instagram")
    wanted = NewMessage(text="Oi", account_id=desk.account.id, to=ANA, fallback=(Step(theirs.id, to=IG),))
    (answer,) = desk.answers([wanted])
    assert isinstance(answer, Refused)
    assert answer.code == "unknown_account"


def test_channel_names_the_oldest_account_of_it(desk: Desk, other: ChannelAccount) -> None:
    open_account_of_the_same_channel = Step(channel="instagram", to=IG)
    wanted = NewMessage(
        text="Oi", account_id=desk.account.id, to=ANA, fallback=(open_account_of_the_same_channel,)
    )
    (answer,) = desk.answers([wanted])
    assert isinstance(answer, Accepted)
    assert answer.steps == ({"account_id": str(other.id), "to": IG},)


def test_nobody_takes_another_way_while_news_of_the_message_is_written_down(
    desk: Desk, other: ChannelAccount
) -> None:
    """And neither waits for the other."""
    message = send(desk, other, delivered_within=60)
    desk.drain()
    let_pass(61)
    with transaction.atomic(), connection.cursor() as cursor, ThreadPoolExecutor(1) as elsewhere:
        conversation = Message.across_organizations.get(pk=message).conversation_id
        order.lock(cursor, [conversation])
        assert elsewhere.submit(_take_due_and_leave).result(timeout=5) == 0
        deliver_receipts(status("delivered", message))
    assert desk.status(message) == "delivered"
    assert take_due() == 0
    assert replacement(message) is None


def _take_due_and_leave() -> int:
    try:
        return take_due()
    finally:
        connection.close()
