"""Conversations as somebody at work wants them: the last active first, each with what was said last."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.messaging import inbox, labels, recent
from apps.messaging.models import Contact, ContactAddress, Conversation
from tests.cast import Api, House, as_member, with_key
from tests.messaging import history
from tests.messaging.history import ANA, BIA

pytestmark = pytest.mark.django_db
PATH = "/v1/conversations/recent"


def shown(api: Api, query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_last_active_conversation_is_first_and_shows_its_last_message(
    owner: Api, aurora: House, boreal: House
) -> None:
    history.queued(aurora, "First", to=ANA)
    history.sent(aurora, "Second", to=BIA)
    assert [each["address"] for each in shown(owner)] == [BIA, ANA]
    last = history.queued(aurora, "Third", to=ANA)
    history.queued(boreal, to=ANA)
    ana, bia = shown(owner)
    assert (ana["address"], ana["id"], ana["channel"]) == (ANA, str(last.conversation_id), "whatsapp_cloud")
    assert ana["last_message"]["text"] == "Third"
    assert (ana["last_message"]["id"], ana["last_message"]["status"]) == (str(last.id), "queued")
    assert (bia["last_message"]["text"], bia["last_message"]["status"]) == ("Second", "sent")


def test_a_recent_conversation_reads_as_elsewhere(owner: Api, aurora: House) -> None:
    conversation = history.conversation(aurora)
    (found,) = shown(owner)
    found.pop("last_message")
    assert found == owner.get(f"/v1/conversations/{conversation.id}").json()


def test_other_organizations_are_not_seen(owner: Api, aurora: House, boreal: House) -> None:
    """Not even by the address that both write to."""
    history.queued(boreal, to=ANA)
    assert shown(owner) == shown(owner, "?address=%2B5511912345601") == []


def test_pages_lead_through_all_of_it(owner: Api, aurora: House) -> None:
    people = [f"+55119123456{number:02d}" for number in range(7)]
    for person in people:
        history.queued(aurora, to=person)
    seen: list[str] = []
    path = f"{PATH}?limit=3"
    while path:
        page = owner.get(path.removeprefix("http://testserver")).json()
        assert page["previous"] is None
        seen += [each["address"] for each in page["data"]]
        path = page["next"]
    assert seen == people[::-1]


def test_what_was_silent_for_long_is_found_by_its_address(
    owner: Api, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "LOOKED_AT", 2)
    for person in (ANA, BIA, BIA):
        history.queued(aurora, to=person)
    history.queued(aurora, "On the other channel", to="1784140000", connector="instagram")
    assert [each["address"] for each in shown(owner)] == ["1784140000", BIA]
    assert [each["address"] for each in shown(owner, "?address=%2B55 (11) 91234-5601")] == [ANA]
    assert shown(owner, "?address=nobody") == []


def test_wrong_filter_and_limit_are_refused(owner: Api, aurora: House) -> None:
    for query in (
        "limit=0", "limit=201", "limit=x", "cursor=x", "addres=x", "unread=yes", "assignee=x", "label=x",
        "state=x",
    ):  # fmt: skip
        assert owner.get(f"{PATH}?{query}").status_code == 400, query


def test_filters_narrow_what_was_said_lately(owner: Api, aurora: House, boreal: House) -> None:
    ana, bia = history.queued(aurora, to=ANA).conversation, history.queued(aurora, to=BIA).conversation
    caio = history.queued(aurora, to="1784140000", connector="instagram").conversation
    inbox.assign(aurora.principal(), ana, aurora.agent.pk)
    inbox.close_many(aurora.principal(), [bia.pk])
    Conversation.across_organizations.filter(pk__in=[ana.pk, caio.pk]).update(unread_count=2)
    label = labels.add(aurora.principal(), name="Entrega", color="#AA0000")
    inbox.set_labels(aurora.principal(), caio, [label.pk])
    Contact.across_organizations.filter(pk=bia.contact_id).update(name="Bia Souza")
    for query, expected in [
        ("state=open", [caio, ana]), ("state=closed", [bia]), (f"assignee={aurora.agent.pk}", [ana]),
        ("assignee=none", [caio, bia]), ("assignee=me", []), (f"assignee={boreal.agent.pk}", []),
        ("unread=true", [caio, ana]), ("unread=false", [bia]), ("unread=true&assignee=none", [caio]),
        (f"label={label.pk}", [caio]), (f"label={label.pk}&state=closed", []), ("channel=instagram", [caio]),
        (f"account_id={ana.account_id}", [bia, ana]), (f"contact_id={bia.contact_id}", [bia]),
        ("name=bia%20s", [bia]), ("name=souza", []), (f"assignee={aurora.agent.pk}&unread=true", [ana]),
    ]:  # fmt: skip
        assert [each["id"] for each in shown(owner, f"?{query}")] == [str(each.pk) for each in expected], query
        everywhere = owner.get(f"/v1/conversations?{query}").json()["data"]
        assert [each["id"] for each in everywhere] == [str(each.pk) for each in expected], query
    assert [each["id"] for each in shown(as_member(aurora.agent), "?assignee=me")] == [str(ana.pk)]
    refused = with_key(aurora.organization).get(f"{PATH}?assignee=me")
    assert refused.json()["errors"][0]["code"] == "no_member"


def test_it_reads_no_more_than_it_looks_at(owner: Api, aurora: House, boreal: House) -> None:
    """However long the history is: neither a table nor the rest of the index is read."""
    crowd(aurora, people=60, messages=6_000)
    crowd(boreal, people=5, messages=2_000)
    Conversation.across_organizations.update(unread_count=1)
    address = ContactAddress.objects.for_organization(aurora.organization).earliest("pk").value.replace("+", "%2B")
    for query in ("", "&state=open", "&unread=true", f"&address={address}"):
        with CaptureQueriesContext(connection) as few:
            assert len(shown(owner, f"?limit=1{query}")) == 1
        with CaptureQueriesContext(connection) as many:
            shown(owner, f"?limit=50{query}")
        assert len(few) == len(many)
        statements = [each["sql"] for each in many if 'FROM "message"' in each["sql"]]
        assert statements
        for statement in statements:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
                plan = cursor.fetchone()[0]
            reads = scans(json.loads(plan)[0]["Plan"] if isinstance(plan, str) else plan[0]["Plan"])
            for scan in (scan for scan in reads if scan.get("Relation Name") == "message"):
                # By an index, in whichever way the planner has it; what counts is how much is read.
                assert scan["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
                assert scan["Actual Rows"] * scan["Actual Loops"] <= recent.LOOKED_AT, scan
                assert not scan.get("Rows Removed by Filter"), scan


def crowd(house: House, *, people: int, messages: int) -> None:
    """A long history, written as it is stored."""
    for number in range(people):
        history.queued(house, to=f"+55119{number:08d}")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO message (id, organization_id, account_id, conversation_id, status, text, priority,
                                 reference, metadata, expires_at, error_class, error_code, error_detail,
                                 created_at)
            SELECT overlay(gen_random_uuid()::text PLACING lpad(to_hex(number), 8, 'f') FROM 1)::uuid,
                   organization_id, account_id, conversations[1 + number %% %s], 'read', 'A word', 1, '', '{}',
                   now(), '', '', '', now()
              FROM (SELECT organization_id, account_id, array_agg(id) AS conversations
                      FROM conversation WHERE organization_id = %s GROUP BY 1, 2) AS known,
                   generate_series(1, %s) AS number
            """,
            [people, house.organization.id, messages],
        )
        cursor.execute("ANALYZE message, conversation")


def scans(plan: dict[str, Any]) -> Any:
    if "Scan" in plan["Node Type"]:
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner)
