"""An organization that is suspended, or has used up its month: nothing new is accepted, whoever asks."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import organizations
from apps.accounts.models import Organization, User
from apps.accounts.principal import Actor, actor_of
from apps.core import clock
from apps.core.months import month_of
from apps.messaging import inbox, routes
from apps.messaging.engine.new_message import NewMessage, Refused
from apps.messaging.models import Conversation, Message, MessageEvent
from tests.cast import House, with_key
from tests.messaging import history
from tests.messaging.desk import ANA, BIA, Desk, open_account
from tests.messaging.provider import Provider
from tests.messaging.test_incoming import come_in, inbound, said

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "the bill of March is not paid."


@pytest.fixture
def root(transactional_db: None) -> Actor:
    return actor_of(User.objects.create_superuser("root@recado.example", "pão-de-queijo-quente"))


def refusal(desk: Desk) -> Refused:
    (answer,) = desk.answers([NewMessage("Bom dia", account_id=desk.account.id, to=ANA)])
    assert isinstance(answer, Refused)
    return answer


def reach_quota(organization: Organization, ago: timedelta = timedelta(0)) -> None:
    Organization.objects.filter(pk=organization.pk).update(quota_reached_at=clock.now() - ago)


def test_nothing_new_is_accepted_also_by_whoever_has_old_objects(desk: Desk, root: Actor) -> None:
    organizations.suspend(root, desk.organization, reason=REASON)
    assert desk.organization.suspended_at is None, "as a worker has it that began before"
    answer = refusal(desk)
    assert (answer.field, answer.code, answer.retry_after) == ("", "organization_suspended", None)
    assert "the bill of March is not paid." in answer.detail
    assert "ask whoever runs" in answer.detail.lower()
    wanted = [NewMessage("Oi", account_id=desk.account.id, to=to) for to in (ANA, BIA)]
    assert [getattr(each, "code", "") for each in desk.answers(wanted)] == ["organization_suspended"] * 2
    assert not Conversation.across_organizations.exists(), "nothing is opened for what is not sent"
    organizations.lift(root, desk.organization)
    assert len(desk.accept("Bom dia")) == 1


def test_what_was_accepted_before_still_leaves(desk: Desk, root: Actor, provider: Provider) -> None:
    (before,) = desk.accept("Bom dia")
    organizations.suspend(root, desk.organization, reason=REASON)
    desk.drain()
    assert desk.status(before) == "sent"


def test_others_go_on(desk: Desk, root: Actor, boreal: House) -> None:
    organizations.suspend(root, desk.organization, reason=REASON)
    history.queued(boreal)


def test_what_people_write_is_kept_and_routes_and_replies_are_refused(
    desk: Desk, aurora: House, root: Actor
) -> None:
    other = open_account(aurora, "instagram")
    routes.add(
        aurora.principal(),
        name="x",
        source_account=desk.account,
        target_account=other,
        target_address="1784140009",
    )
    organizations.suspend(root, desk.organization, reason=REASON)
    come_in(said("Bom dia", "wamid.1"))
    come_in(said("STOP", "wamid.2"))
    first, _stop = inbound()
    assert first.text == "Bom dia"
    told = MessageEvent.across_organizations.get(message=first, kind="forwarded")
    assert told.detail["refused"] == "organization_suspended"
    answered = inbox.answer(aurora.principal(), first.conversation, "Oi")
    assert isinstance(answered, Refused)
    assert answered.code == "organization_suspended"
    assert Message.across_organizations.count() == 2


def test_it_costs_no_statement(desk: Desk) -> None:
    desk.accept("Bom dia")
    with CaptureQueriesContext(connection) as asked:
        desk.accept("Boa tarde")
    statements = [str(each["sql"]) for each in asked.captured_queries]
    # Found and written, within a transaction.
    assert len(statements) == 4, statements


def test_month_that_is_used_up_says_when_it_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reach_quota(desk.organization)
    answer = refusal(desk)
    assert (answer.field, answer.code) == ("", "monthly_quota_exhausted")
    ends = month_of(clock.now()).ends
    assert str(ends.year) in answer.detail
    assert answer.retry_after == pytest.approx((ends - clock.now()).total_seconds(), abs=60)
    monkeypatch.setattr(clock, "now", lambda: ends)
    assert len(desk.accept("Feliz mês novo")) == 1, "also before anybody has looked"


def test_api_says_when_to_try_again(desk: Desk) -> None:
    reach_quota(desk.organization)
    api = with_key(desk.organization)
    body = {"account_id": str(desk.account.id), "to": ANA, "text": "Bom dia"}
    answer = api.post("/v1/messages", body)
    assert (answer.status_code, answer.json()["code"]) == (429, "monthly_quota_exhausted")
    assert int(answer["Retry-After"]) > 0
    batch = api.post("/v1/messages/batch", {"messages": [body]})
    assert batch.json()["refused"][0]["errors"][0]["code"] == "monthly_quota_exhausted"
    assert batch["Retry-After"]
