"""Conversations and the people in them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent
from apps.core.api.pagination import SiftedPages
from apps.messaging.consent import suppressions
from apps.messaging.models import ConsentSource
from tests.cast import Api, House
from tests.messaging import history
from tests.messaging.history import ANA, BIA

pytestmark = pytest.mark.django_db


def ids(owner: Api, path: str) -> list[str]:
    answer = owner.get(path)
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["data"]]


def test_conversation_is_found_by_its_parties(owner: Api, aurora: House, boreal: House) -> None:
    history.conversation(boreal)
    ana = history.queued(aurora).conversation
    bia = history.queued(aurora, to=BIA).conversation
    other = history.queued(aurora, to="1784140000", connector="instagram").conversation
    assert ids(owner, "/v1/conversations") == [str(each.id) for each in (other, bia, ana)]
    assert ids(owner, f"/v1/conversations?account_id={ana.account_id}") == [str(bia.id), str(ana.id)]
    assert ids(owner, f"/v1/conversations?contact_id={ana.contact_id}") == [str(ana.id)]
    assert ids(owner, "/v1/conversations?address=%2B55 (11) 91234-5602") == [str(bia.id)]
    assert ids(owner, f"/v1/conversations?address=1784140000&account_id={ana.account_id}") == []
    assert ids(owner, "/v1/conversations?address=nobody") == []
    one = owner.get(f"/v1/conversations/{ana.id}").json()
    assert one | {"address": ANA, "channel": "whatsapp_cloud", "closed_at": None} == one


def test_messages_of_a_conversation_are_read_in_pages(owner: Api, aurora: House) -> None:
    made = [history.queued(aurora, f"Number {number}") for number in range(3)]
    path = f"/v1/conversations/{made[0].conversation_id}/messages"
    first = owner.get(f"{path}?limit=2").json()
    rest = owner.get(first["next"].removeprefix("http://testserver")).json()
    assert [each["text"] for each in first["data"] + rest["data"]] == ["Number 2", "Number 1", "Number 0"]
    with CaptureQueriesContext(connection) as few:
        owner.get(f"{path}?limit=1")
    with CaptureQueriesContext(connection) as many:
        owner.get(path)
    assert len(few) == len(many)


def test_closing_and_opening_again_is_told_once(owner: Api, aurora: House) -> None:
    conversation = history.conversation(aurora)
    for verb, is_closed in (("close", True), ("close", True), ("reopen", False), ("reopen", False)):
        answer = owner.post(f"/v1/conversations/{conversation.id}/{verb}")
        assert answer.status_code == 200
        assert (answer.json()["closed_at"] is not None) == is_closed
    trail = AuditEvent.objects.for_organization(aurora.organization).filter(action__startswith="conversation.")
    assert list(trail.order_by("id").values_list("action", flat=True)) == [
        "conversation.closed",
        "conversation.reopened",
    ]


def test_contact_is_shown_with_its_addresses(owner: Api, aurora: House, boreal: House) -> None:
    history.contact(boreal)
    ana = history.contact(aurora)
    history.queued(aurora, to=BIA)
    suppressions.add(aurora.organization.id, "phone", [ANA], ConsentSource.API)
    one = owner.get(f"/v1/contacts/{ana.id}").json()
    (address,) = one["addresses"]
    assert (address["kind"], address["value"]) == ("phone", ANA)
    assert len(ids(owner, "/v1/contacts")) == 2
    assert ids(owner, "/v1/contacts?address=%2B55 (11) 91234-5601") == [str(ana.id)]
    assert ids(owner, "/v1/contacts?address=nobody") == []
    with CaptureQueriesContext(connection) as few:
        owner.get("/v1/contacts?limit=1")
    with CaptureQueriesContext(connection) as many:
        owner.get("/v1/contacts")
    assert len(few) == len(many)


def test_sifted_list_is_read_to_its_end_in_both_directions(
    owner: Api, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few of many are wanted: pages may be short or empty, and nothing is left out or told twice."""
    monkeypatch.setattr(SiftedPages, "most_looked_at", 3)
    wanted = []
    for number in range(20):
        connector = "instagram" if number in {2, 3, 4, 17} else "whatsapp_cloud"
        to = f"+55119123456{number:02d}" if connector == "whatsapp_cloud" else f"178414000{number:02d}"
        message = history.queued(aurora, to=to, connector=connector)
        if connector == "instagram":
            wanted.append(str(message.id))
    for limit in (1, 2, 50):
        older, newer = [], []
        path, last = f"/v1/messages?channel=instagram&limit={limit}", ""
        while path:
            page = owner.get(path.removeprefix("http://testserver")).json()
            older += [each["id"] for each in page["data"]]
            path, last = page["next"], page["previous"] or last
        assert older == wanted[::-1]
        path = last
        newest_seen: list[list[str]] = []
        while path:
            page = owner.get(path.removeprefix("http://testserver")).json()
            newest_seen.insert(0, [each["id"] for each in page["data"]])
            path = page["previous"]
        newer = [each for page in newest_seen for each in page]
        assert newer == wanted[::-1][: len(newer)]
        assert set(newer) >= set(wanted[3:])
