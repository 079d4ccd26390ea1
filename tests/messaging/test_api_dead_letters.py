"""Dead letters over the API: why, again, or never."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent
from apps.channels.errors import MessageRejected
from apps.core import clock
from apps.messaging.engine.claim import claim
from apps.messaging.engine.outcome import Result
from apps.messaging.models import DeadLetter, Message
from apps.messaging.statuses import Priority
from tests.cast import Api, House
from tests.messaging import history

pytestmark = pytest.mark.django_db


def three(house: House) -> list[DeadLetter]:
    return [history.dead(house, to=f"+551191234561{number}", code=f"13104{number}") for number in range(3)]


def states(letters: list[DeadLetter]) -> list[str]:
    found = DeadLetter.across_organizations.in_bulk([letter.pk for letter in letters])
    return [found[letter.pk].state for letter in letters]


def replay_many(owner: Api, **body: Any) -> Any:
    return owner.post("/v1/dead-letters/replay", body)


def test_letter_tells_every_attempt(owner: Api, aurora: House) -> None:
    letter = history.dead(aurora)
    owner.post(f"/v1/dead-letters/{letter.id}/replay")
    history.leave(letter.message, Result.FAILED, MessageRejected("131051", "not this type"))
    one = owner.get(f"/v1/dead-letters/{letter.id}").json()
    assert one | {"state": "open", "attempts": 2, "replays": 1, "to": history.BIA} == one
    assert one["error"] == {"class": "message_rejected", "code": "131051", "detail": "not this type"}
    assert [(each["attempt"], each["outcome"], each["error"]["code"]) for each in one["tried"]] == [
        (1, "failed", "131047"),
        (1, "failed", "131051"),
    ]
    assert one["tried"][0]["milliseconds"] == 12


def test_list_is_narrowed(owner: Api, aurora: House, boreal: House) -> None:
    first, second, third = three(aurora)
    history.dead(boreal)
    owner.post(f"/v1/dead-letters/{third.id}/discard", {"reason": "too old"})

    def found(query: str) -> list[str]:
        return [each["id"] for each in owner.get(f"/v1/dead-letters?{query}").json()["data"]]

    assert found("") == [str(each.id) for each in (third, second, first)]
    assert found("state=open") == [str(second.id), str(first.id)]
    assert found("state=discarded&error_class=message_rejected") == [str(third.id)]
    assert found("error_code=131041") == [str(second.id)]
    assert found(f"account_id={first.account_id}&error_class=transient") == []
    assert owner.get("/v1/dead-letters?state=lost").status_code == 400
    with CaptureQueriesContext(connection) as few:
        found("limit=1")
    with CaptureQueriesContext(connection) as many:
        found("limit=200")
    assert len(few) == len(many)


def test_replay_makes_one_new_attempt(owner: Api, aurora: House) -> None:
    letter = history.dead(aurora)
    answer = owner.post(f"/v1/dead-letters/{letter.id}/replay")
    assert (answer.status_code, answer.json()["state"]) == (202, "replaying")
    again = owner.post(f"/v1/dead-letters/{letter.id}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "not_dead")
    assert [each.message_id for each in claim(letter.account, 10).deliveries] == [letter.message_id]


def test_discard_needs_a_reason_and_is_final(owner: Api, aurora: House) -> None:
    letter = history.dead(aurora)
    for body in ({}, {"reason": ""}, {"reason": "x" * 501}):
        assert owner.post(f"/v1/dead-letters/{letter.id}/discard", body).status_code == 400
    answer = owner.post(f"/v1/dead-letters/{letter.id}/discard", {"reason": "too old"})
    assert (answer.json()["state"], answer.json()["discard_reason"]) == ("discarded", "too old")
    again_and_again: list[tuple[str, Any]] = [("discard", {"reason": "again"}), ("replay", None)]
    for verb, body in again_and_again:
        again = owner.post(f"/v1/dead-letters/{letter.id}/{verb}", body)
        assert (again.status_code, again.json()["code"]) == (409, "not_dead")


def test_query_only_counts_unless_it_is_meant(owner: Api, aurora: House, boreal: House) -> None:
    letters = [*three(aurora), history.dead(boreal)]
    assert replay_many(owner).json() == {"matched": 3, "replayed": 0, "remaining": 3}
    assert replay_many(owner, error_code="131041").json()["matched"] == 1
    assert states(letters) == ["open"] * 4
    assert not AuditEvent.across_organizations.filter(action="dead_letters.replayed").exists()


def test_query_is_replayed_oldest_first_and_goes_on(owner: Api, aurora: House, boreal: House) -> None:
    letters = [*three(aurora), history.dead(boreal)]
    answer = replay_many(owner, dry_run=False, most=2)
    assert (answer.status_code, answer.json()) == (202, {"matched": 3, "replayed": 2, "remaining": 1})
    assert states(letters) == ["replaying", "replaying", "open", "open"]
    assert replay_many(owner, dry_run=False).json() == {"matched": 1, "replayed": 1, "remaining": 0}
    assert replay_many(owner, dry_run=False).json() == {"matched": 0, "replayed": 0, "remaining": 0}
    assert states(letters)[3] == "open"
    assert set(Message.across_organizations.filter(status="queued").values_list("priority", flat=True)) == {
        Priority.LOW
    }
    trail = AuditEvent.objects.for_organization(aurora.organization).filter(action="dead_letters.replayed")
    assert [event.changes for event in trail.order_by("id")] == [
        {"matched": [None, 3], "replayed": [None, 2]},
        {"matched": [None, 1], "replayed": [None, 1]},
    ]


def test_query_takes_what_it_names(owner: Api, aurora: House, boreal: House) -> None:
    first, second, third = three(aurora)
    theirs = history.dead(boreal)
    ids = [str(first.id), str(theirs.id)]
    assert replay_many(owner, dry_run=False, ids=ids).json()["replayed"] == 1
    assert replay_many(owner, account_id=str(theirs.account_id)).json()["matched"] == 0
    assert replay_many(owner, account_id=str(second.account_id), error_class="message_rejected").json() == {
        "matched": 2, "replayed": 0, "remaining": 2,
    }  # fmt: skip
    before = (clock.now() - timedelta(hours=1)).isoformat()
    assert replay_many(owner, created_before=before).json()["matched"] == 0
    assert states([first, second, third, theirs]) == ["replaying", "open", "open", "open"]


@pytest.mark.parametrize(
    "body",
    [{"ids": []}, {"ids": ["x"]}, {"ids": [1] * 1001}, {"most": 0}, {"most": 1001}, {"dry_run": "no"},
     {"error_clas": "x"}, {"created_before": "x"}],
    ids=range(8),
)  # fmt: skip
def test_query_that_makes_no_sense_replays_nothing(owner: Api, aurora: House, body: dict[str, Any]) -> None:
    letter = history.dead(aurora)
    assert replay_many(owner, **({"dry_run": False} | body)).status_code == 400
    assert states([letter]) == ["open"]
