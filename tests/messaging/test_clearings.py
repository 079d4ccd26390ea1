"""All dead letters that are alike: at a rate, held, gone on with after a death, and none of them twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from rest_framework.exceptions import PermissionDenied

from apps.accounts import organizations
from apps.accounts.models import AuditEvent
from apps.accounts.principal import SYSTEM
from apps.channels.errors import MessageRejected
from apps.core import clock
from apps.messaging.dead_letters import by_hand, causes, clearings, step
from apps.messaging.dead_letters.selection import Selection
from apps.messaging.engine import replay as engine
from apps.messaging.engine.outcome import Result
from apps.messaging.models import Clearing, ClearingAction, ClearingState, DeadLetter, Delivery, Message
from apps.messaging.statuses import Priority
from tests.cast import Api, House
from tests.messaging import history

pytestmark = pytest.mark.django_db
REPLAY, DISCARD = ClearingAction.REPLAY, ClearingAction.DISCARD


class Clock:
    """Says what time it is, from the real one on."""

    def __init__(self) -> None:
        self.moment = clock.now()

    def __call__(self) -> datetime:
        return self.moment

    def go(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    own = Clock()
    monkeypatch.setattr(clock, "now", own)
    return own


def dead(house: House, count: int, code: str = "131047") -> list[DeadLetter]:
    return [history.dead(house, to=f"+551191{code[-3:]}{number:04d}", code=code) for number in range(count)]


def states(letters: list[DeadLetter]) -> list[str]:
    found = DeadLetter.across_organizations.in_bulk([letter.pk for letter in letters])
    return [found[letter.pk].state for letter in letters]


def start(
    house: House, action: ClearingAction = REPLAY, selection: Selection | None = None, **how: Any
) -> Clearing:
    return clearings.start(house.principal(), action, selection or Selection(), **how)


def reread(clearing: Clearing) -> Clearing:
    return Clearing.across_organizations.get(pk=clearing.pk)


def test_no_more_have_their_turn_than_was_said(aurora: House, time: Clock) -> None:
    letters = dead(aurora, 12)
    clearing = start(aurora, per_second=2)
    turns = [step.go_on()]
    for seconds in (0.0, 0.4, 0.1, 1.0, 60.0):
        time.go(seconds)
        turns.append(step.go_on())
    # The first second's worth at once; then what a second allows; after a long rest, five seconds' worth.
    assert turns == [2, 0, 0, 1, 2, 7]
    assert set(states(letters)) == {"replaying"}
    assert reread(clearing).state == ClearingState.FINISHED
    assert (reread(clearing).matched, reread(clearing).done) == (12, 12)
    assert set(Message.across_organizations.values_list("priority", flat=True)) == {Priority.LOW}


def test_what_fails_again_is_not_tried_by_the_same_clearing(aurora: House, time: Clock) -> None:
    first, second = dead(aurora, 2)
    clearing = start(aurora, per_second=1)
    step.go_on()
    history.leave(first.message, Result.FAILED, MessageRejected("131047", "still"))
    newer = history.dead(aurora, to="+5511912345699")
    # All of a test is one transaction, with one time.
    later = clearing.created_at + timedelta(seconds=1)
    DeadLetter.across_organizations.filter(pk=newer.pk).update(changed_at=later)
    for _ in range(5):
        time.go(1)
        step.go_on()
    assert states([first, second, newer]) == ["open", "replaying", "open"]
    assert reread(clearing).state == ClearingState.FINISHED
    assert clearings.results(clearing) == clearings.Results(under_way=1, failed_again=1)
    # By hand it is tried again, and counts there no more.
    engine.replay(aurora.organization, [first.pk])
    assert clearings.results(clearing) == clearings.Results(under_way=1)


def test_only_what_matches_is_touched(aurora: House, boreal: House, time: Clock) -> None:
    these, others, theirs = dead(aurora, 2, "131041"), dead(aurora, 2, "131042"), dead(boreal, 2, "131041")
    selection = Selection(account_id=these[0].account_id, error_class="message_rejected", error_code="131041")
    assert clearings.count(aurora.principal(), selection) == 2
    start(aurora, DISCARD, selection, reason="too old")
    time.go(1)
    assert step.go_on() == 2
    assert states([*these, *others, *theirs]) == ["discarded"] * 2 + ["open"] * 4
    assert DeadLetter.across_organizations.get(pk=these[0].pk).discard_reason == "too old"
    again = Selection(failed_again=True)
    assert clearings.count(aurora.principal(), again) == 0
    engine.replay(aurora.organization, [others[0].pk])
    history.leave(others[0].message, Result.FAILED, MessageRejected("131042", "still"))
    assert clearings.count(aurora.principal(), again) == 1
    assert clearings.count(aurora.principal(), Selection(failed_again=False)) == 1


def test_somebody_holds_it_and_ends_it(aurora: House, time: Clock) -> None:
    letters = dead(aurora, 3)
    clearing = start(aurora, per_second=1)
    assert step.go_on() == 1
    clearings.pause(aurora.principal(), clearing)
    time.go(60)
    assert step.go_on() == 0
    clearings.resume(aurora.principal(), clearing)
    # Nothing is made up for that was not to happen.
    assert step.go_on() == 0
    time.go(1)
    assert step.go_on() == 1
    clearings.cancel(aurora.principal(), clearing)
    time.go(60)
    assert step.go_on() == 0
    assert states(letters) == ["replaying", "replaying", "open"]
    with pytest.raises(clearings.ClearingEnded):
        clearings.resume(aurora.principal(), clearing)
    trail = AuditEvent.across_organizations.filter(action__startswith="clearing.").order_by("id")
    assert [each.action for each in trail] == [
        f"clearing.{verb}" for verb in ("started", "paused", "resumed", "cancelled")
    ]
    assert trail[0].changes | {"matched": [None, 3], "per_second": [None, 1]} == trail[0].changes


def test_worker_that_dies_half_way_leaves_what_was_before(
    aurora: House, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = dead(aurora, 4)
    clearing = start(aurora, per_second=2)
    step.go_on()
    real = engine.replay

    def dies(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise SystemExit

    time.go(1)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "replay", dies)
        with pytest.raises(SystemExit):
            step.go_on()
    assert (reread(clearing).done, Delivery.across_organizations.count()) == (2, 2)
    time.go(1)
    step.go_on()
    time.go(1)
    step.go_on()
    assert reread(clearing).done == 4
    assert set(states(letters)) == {"replaying"}
    assert Delivery.across_organizations.count() == 4


def test_what_others_dealt_with_is_passed_over(aurora: House, time: Clock) -> None:
    first, second, third = dead(aurora, 3)
    clearing = start(aurora)
    engine.discard(aurora.organization, [first.pk], "by hand")
    engine.replay(aurora.organization, [second.pk])
    step.go_on()
    assert states([first, second, third]) == ["discarded", "replaying", "replaying"]
    assert (reread(clearing).matched, reread(clearing).done) == (3, 1)
    assert reread(clearing).state == ClearingState.FINISHED
    assert AuditEvent.across_organizations.get(action="clearing.finished").changes["done"] == [None, 1]


def test_nothing_to_clear_and_too_many_at_once_are_said(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(clearings.NothingToClear):
        start(aurora)
    dead(aurora, 1)
    monkeypatch.setattr(clearings, "MOST_UNFINISHED", 1)
    start(aurora)
    with pytest.raises(clearings.TooManyClearings):
        start(aurora)


def test_one_that_fails_holds_up_no_other(aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch) -> None:
    dead(aurora, 1)
    dead(boreal, 1)
    start(aurora)
    other = start(boreal)
    real = step._carry_out

    def carry_out(clearing: Clearing, letters: Any) -> int:
        if clearing.organization_id == aurora.organization.pk:
            raise OperationalError("broken")
        return real(clearing, letters)

    monkeypatch.setattr(step, "_carry_out", carry_out)
    assert step.go_on() == 1
    assert reread(other).state == ClearingState.FINISHED


def test_clock_that_is_set_back_stops_nothing(aurora: House, time: Clock) -> None:
    dead(aurora, 3)
    start(aurora, per_second=1)
    assert step.go_on() == 1
    time.go(-6 * 3600)
    assert step.go_on() == 1
    time.go(1)
    assert step.go_on() == 1


def test_suspended_organization_has_nothing_tried_again(aurora: House, time: Clock) -> None:
    letter, _ = dead(aurora, 2)
    clearing = start(aurora, per_second=1)
    organizations.suspend(SYSTEM, aurora.organization, reason="unpaid")
    time.go(10)
    assert step.go_on() == 0
    for act in (
        lambda: start(aurora),
        lambda: clearings.resume(aurora.principal(), clearing),
        lambda: by_hand.replay(aurora.principal(), letter),
        lambda: by_hand.replay_many(aurora.principal(), Selection()),
    ):
        with pytest.raises(PermissionDenied, match="unpaid"):
            act()
    assert by_hand.replay_many(aurora.principal(), Selection(), dry_run=True).matched == 2
    organizations.lift(SYSTEM, aurora.organization)
    assert step.go_on() > 0


def test_causes_are_told_as_far_as_was_looked(
    aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead(aurora, 2, "131041")
    dead(aurora, 1, "131042")
    dead(boreal, 3, "131043")
    found = causes.causes([aurora.organization.pk])
    assert [(each.error_code, each.count) for each in found.causes] == [("131041", 2), ("131042", 1)]
    assert found.is_whole
    assert {each.account for each in found.causes} == {"whatsapp_cloud of aurora"}
    monkeypatch.setattr(causes, "MOST_LOOKED_AT", 2)
    assert not causes.causes([aurora.organization.pk]).is_whole
    assert sum(each.count for each in causes.causes([aurora.organization.pk]).causes) == 3


def test_steps_read_an_index(aurora: House) -> None:
    clearing = start_of_plan(aurora)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        letters = (
            Selection(error_code="131047")
            .of(aurora.organization)
            .filter(changed_at__lte=clearing.created_at, pk__gt=clearing.pk)
        )
        assert "dead_letter_open" in letters.order_by("pk").values_list("pk", flat=True)[:10].explain()


def start_of_plan(house: House) -> Clearing:
    dead(house, 1)
    return start(house)


def test_over_the_api(owner: Api, aurora: House, boreal: House, time: Clock) -> None:
    dead(aurora, 3, "131041")
    dead(boreal, 2, "131041")
    cause = owner.get("/v1/dead-letters/causes").json()
    assert [(each["error_code"], each["count"]) for each in cause["data"]] == [("131041", 3)]
    assert cause["complete"] is True
    assert owner.get("/v1/dead-letters/count?error_code=131041&failed_again=false").json() == {"matched": 3}
    assert owner.get("/v1/dead-letters/count?error_codes=1").status_code == 400
    refused = owner.post("/v1/dead-letters/clearings", {"action": "discard", "error_code": "131041"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/reason")
    begun = owner.post("/v1/dead-letters/clearings", {"action": "replay", "error_code": "131041", "per_second": 2})
    assert begun.status_code == 202
    step.go_on()
    one = owner.get(f"/v1/dead-letters/clearings/{begun.json()['id']}").json()
    assert one | {"state": "running", "matched": 3, "done": 2, "per_second": 2} == one
    assert one["results"] == {"under_way": 2, "sent": 0, "failed_again": 0, "discarded": 0}
    time.go(2)
    step.go_on()
    ended = owner.post(f"/v1/dead-letters/clearings/{one['id']}/cancel")
    assert (ended.status_code, ended.json()["code"]) == (409, "clearing_ended")
    empty = owner.post("/v1/dead-letters/clearings", {"action": "replay"})
    assert (empty.status_code, empty.json()["code"]) == (409, "nothing_to_clear")
