"""An account that drains sends what it has and takes nothing new, whichever way it comes."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.engine.claim import claim
from apps.messaging.engine.new_message import Accepted, NewMessage, Refused, Step
from apps.messaging.models import DeadLetter, Delivery, Message, MessageEvent
from tests.cast import Api, House
from tests.messaging.desk import ANA, BIA, Desk, open_account
from tests.messaging.provider import Provider
from tests.messaging.test_incoming import come_in, said

pytestmark = pytest.mark.django_db(transaction=True)
IG = "1784140000000009"


def drain_account(desk: Desk, account: ChannelAccount | None = None, **values: object) -> ChannelAccount:
    principal = Principal.of_system(desk.organization)
    given = {"reason": "we move to another number", **values}
    return accounts.drain(principal, account or desk.account, **given)  # type: ignore[arg-type]


def refused(desk: Desk, **values: object) -> Refused | None:
    given = {"text": "Oi", "account_id": desk.account.id, "to": ANA, **values}
    (answer,) = desk.answers([NewMessage(**given)])  # type: ignore[arg-type]
    return answer if isinstance(answer, Refused) else None


def test_nothing_new_is_taken_and_what_waits_leaves(desk: Desk, provider: Provider) -> None:
    (waiting,) = desk.accept("Bom dia")
    drain_account(desk)
    answer = refused(desk)
    assert answer is not None
    assert (answer.field, answer.code) == ("account_id", "account_draining")
    assert "we move to another number" in answer.detail
    assert desk.drain()["sent"] == 1
    assert desk.status(waiting) == "sent"
    accounts.resume(Principal.of_system(desk.organization), desk.account)
    assert refused(desk) is None


def test_refusal_says_until_when(desk: Desk) -> None:
    drain_account(desk, until=clock.now().replace(year=2999))
    answer = refused(desk)
    assert answer is not None
    assert "2999" in answer.detail
    drain_account(desk, until=clock.now() - timedelta(seconds=1))
    assert refused(desk) is None


def test_conversation_that_exists_is_no_way_round(desk: Desk) -> None:
    desk.accept("Bom dia")
    conversation = Message.across_organizations.get().conversation_id
    drain_account(desk)
    answer = refused(desk, account_id=None, to=None, conversation_id=conversation)
    assert answer is not None
    assert answer.code == "account_draining"


def test_of_a_batch_only_those_of_the_account_are_refused(desk: Desk, aurora: House) -> None:
    other = open_account(aurora, "instagram")
    drain_account(desk)
    answers = desk.answers([NewMessage("1", desk.account.id, ANA), NewMessage("2", other.id, IG)])
    assert [isinstance(answer, Accepted) for answer in answers] == [False, True]


def test_accepting_takes_no_more_statements_than_before(desk: Desk) -> None:
    desk.accept("1")
    with CaptureQueriesContext(
        connection,
    ) as free:
        desk.accept("2")
    drain_account(desk)
    with CaptureQueriesContext(connection) as draining:
        assert refused(desk) is not None
    assert len(draining) <= len(free)


def test_api_answers_409(desk: Desk, owner: Api) -> None:
    drain_account(desk)
    answer = owner.post("/v1/messages", {"account_id": str(desk.account.id), "to": ANA, "text": "Oi"})
    assert (answer.status_code, answer.json()["code"]) == (409, "account_draining")
    message = {"account_id": str(desk.account.id), "to": ANA, "text": "Oi"}
    (problem,) = owner.post("/v1/messages/batch", {"messages": [message]}).json()["refused"]
    assert problem["errors"][0]["pointer"] == "/messages/0/account_id"
    assert problem["errors"][0]["code"] == "account_draining"


def test_worker_that_remembers_the_account_goes_on(desk: Desk) -> None:
    desk.accept("Bom dia")
    remembered = ChannelAccount.across_organizations.get(pk=desk.account.pk)
    drain_account(desk)
    assert len(claim(remembered, 10).deliveries) == 1


def test_paused_account_that_drains_sends_nothing_until_it_is_resumed(desk: Desk) -> None:
    principal = Principal.of_system(desk.organization)
    (waiting,) = desk.accept("Bom dia")
    accounts.pause(principal, desk.account, reason="maintenance")
    drain_account(desk)
    desk.drain()
    assert desk.status(waiting) == "queued"
    accounts.resume(principal, desk.account, keep_draining=True)
    desk.drain()
    assert desk.status(waiting) == "sent"
    assert refused(desk) is not None


def test_step_to_a_draining_account_is_passed_over(desk: Desk, aurora: House, provider: Provider) -> None:
    first, second = open_account(aurora, "instagram"), open_account(aurora, "telegram")
    steps = (Step(account_id=first.id, to=IG), Step(account_id=second.id, to="12345"))
    (message,) = desk.accept("Oi", fallback=steps)
    drain_account(desk, first)
    provider.break_with({"kind": "blocked", "to": ANA.removeprefix("+")})
    desk.drain()
    taken = Message.across_organizations.get(fallback_of_id=message)
    assert taken.account_id == second.id
    told = MessageEvent.across_organizations.get(message=message, kind="fell_back").detail
    assert told["refused"] == [{"account_id": str(first.id), "code": "account_draining"}]
    assert not DeadLetter.across_organizations.exists()


def test_channel_names_an_account_that_takes_messages(desk: Desk, aurora: House) -> None:
    oldest, younger = open_account(aurora, "instagram"), open_account(aurora, "instagram", name="new")

    def chosen() -> UUID:
        (answer,) = desk.answers(
            [NewMessage("Oi", desk.account.id, BIA, fallback=(Step(channel="instagram", to=IG),))]
        )
        assert isinstance(answer, Accepted)
        return UUID(answer.steps[0]["account_id"])

    assert chosen() == oldest.id
    drain_account(desk, oldest)
    assert chosen() == younger.id
    drain_account(desk, oldest, until=clock.now() - timedelta(seconds=1))
    assert chosen() == oldest.id
    drain_account(desk, oldest)
    drain_account(desk, younger)
    assert chosen() == oldest.id


def test_route_tells_that_it_was_refused(desk: Desk, aurora: House, owner: Api) -> None:
    instagram = open_account(aurora, "instagram")
    route = {"name": "x", "source_account_id": str(desk.account.id), "target_account_id": str(instagram.id),
             "target_address": IG}  # fmt: skip
    assert owner.post("/v1/routes", route).status_code == 201
    drain_account(desk, instagram)
    come_in(said("Chegou?", "wamid.1"))
    told = MessageEvent.across_organizations.get(kind="forwarded").detail
    assert told["refused"] == "account_draining"


def test_who_writes_to_a_draining_account_is_heard(desk: Desk) -> None:
    drain_account(desk)
    come_in(said("Chegou?", "wamid.1"))
    assert Message.across_organizations.get().text == "Chegou?"


def test_drain_at_work_follows_a_new_rate(desk: Desk) -> None:
    """At the old rate the last of these would leave after half a minute."""
    desk.change(rate_per_second=1, burst=1)
    for n in range(30):
        desk.accept("Oi", to=f"+55119{30_000_000 + n}")

    def change_while_they_leave(until: float) -> int:
        try:
            while (left := Delivery.across_organizations.count()) == 30 and time.monotonic() < until:
                time.sleep(0.02)
            accounts.change(Principal.of_system(desk.organization), desk.account, rate_per_second=1000, burst=100)
        finally:
            connection.close()
        return left

    until = time.monotonic() + 10
    with ThreadPoolExecutor(1) as others:
        left = others.submit(change_while_they_leave, until)
        while desk.waiting() and time.monotonic() < until:
            desk.drain()
            time.sleep(0.02)
    assert left.result() > 20
    assert desk.waiting() == 0
