"""What members do with conversations: they take care of them, read, sort, note, close and answer."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent
from apps.accounts.roles import Scope
from apps.core import clock
from apps.messaging import inbox, labels
from apps.messaging.engine.new_message import Accepted, Refused
from apps.messaging.models import Contact, Conversation, ConversationLabel, ConversationNote, Label, Message
from tests.cast import Api, House, as_member, with_key
from tests.messaging import history
from tests.messaging.history import ANA, BIA

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(aurora: House) -> Conversation:
    return history.conversation(aurora)


def path(conversation: Conversation, *words: str) -> str:
    return "/".join([f"/v1/conversations/{conversation.pk}", *words])


def trail(house: House) -> list[str]:
    events = AuditEvent.objects.for_organization(house.organization).order_by("id")
    return [each for each in events.values_list("action", flat=True) if each.startswith(("conversation", "label"))]


def good(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def test_conversation_tells_what_there_is_to_know(owner: Api, aurora: House, conversation: Conversation) -> None:
    shown = good(owner.get(path(conversation)))
    nothing: dict[str, Any] = {"assignee": None, "labels": [], "unread_count": 0, "last_inbound_at": None}
    assert shown | nothing == shown
    assert shown["contact"] == {"id": str(conversation.contact_id), "name": ""}
    assert shown["window"] == {"is_open": False, "closes_at": None}

    heard_at = clock.now() - timedelta(hours=23)
    Conversation.across_organizations.update(unread_count=3, last_inbound_at=heard_at, assignee=aurora.agent)
    Contact.across_organizations.update(name="Ana Lima")
    shown = good(owner.get(path(conversation)))
    assert (shown["unread_count"], shown["contact"]["name"]) == (3, "Ana Lima")
    assert shown["assignee"] == {"id": str(aurora.agent.pk), "name": "agent@aurora.example"}
    assert shown["window"]["is_open"] is True
    Conversation.across_organizations.update(last_inbound_at=heard_at - timedelta(hours=2))
    assert good(owner.get(path(conversation)))["window"]["is_open"] is False


def test_conversation_is_assigned_to_members_only(
    owner: Api, aurora: House, boreal: House, conversation: Conversation
) -> None:
    for member in (aurora.agent, aurora.agent, None):
        wanted = {"member_id": member and str(member.pk)}
        shown = good(owner.post(path(conversation, "assign"), wanted))
        assert (shown["assignee"] and shown["assignee"]["id"]) == wanted["member_id"]
    assert owner.post(path(conversation, "assign"), {"member_id": str(boreal.agent.pk)}).status_code == 404
    assert owner.post(path(conversation, "assign"), {}).status_code == 400
    assert trail(aurora) == ["conversation.assigned"] * 2


def test_reading_is_told_once_and_only_to_us(owner: Api, aurora: House, conversation: Conversation) -> None:
    Conversation.across_organizations.update(unread_count=4)
    before = Message.across_organizations.count()
    for _ in range(2):
        assert good(owner.post(path(conversation, "read")))["unread_count"] == 0
    assert trail(aurora) == ["conversation.read"]
    assert Message.across_organizations.count() == before


def test_viewer_changes_nothing(aurora: House, conversation: Conversation) -> None:
    viewer = as_member(aurora.viewer)
    for word, body in (("assign", {"member_id": None}), ("read", None), ("notes", {"text": "Hello"})):
        assert viewer.post(path(conversation, word), body).status_code == 403
    assert viewer.send("PUT", path(conversation, "labels"), {"labels": []}).status_code == 403


def test_label_has_a_name_of_its_own_and_a_color(owner: Api, boreal: House) -> None:
    labels.add(boreal.principal(), name="Entrega", color="#000000")
    made = good(owner.post("/v1/labels", {"name": "Entrega", "color": "#AA00ff"}), 201)
    assert made | {"name": "Entrega", "color": "#aa00ff"} == made
    assert owner.post("/v1/labels", {"name": "Entrega"}).json()["code"] == "name_taken"
    other = good(owner.post("/v1/labels", {"name": "Troca"}), 201)
    one = f"/v1/labels/{other['id']}"
    assert owner.patch(one, {"name": "Entrega"}).status_code == 409
    assert good(owner.patch(one, {"name": "Devolução"}))["color"] == other["color"]
    for wrong in (
        {"name": ""},
        {"name": "x" * 41},
        {"name": "x", "color": "red"},
        {"name": "x", "color": "#12345"},
    ):
        assert owner.post("/v1/labels", wrong).status_code == 400, wrong
    assert [each["name"] for each in good(owner.get("/v1/labels"))["data"]] == ["Devolução", "Entrega"]


def test_organization_has_a_hundred_labels_at_most(
    owner: Api, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "MOST_LABELS", 2)
    for name in ("One", "Two"):
        good(owner.post("/v1/labels", {"name": name}), 201)
    assert owner.post("/v1/labels", {"name": "Three"}).json()["code"] == "too_many_labels"


def test_labels_are_put_on_and_taken_off(
    owner: Api, aurora: House, boreal: House, conversation: Conversation
) -> None:
    made = [labels.add(aurora.principal(), name=name, color="#112233") for name in ("B", "A", "C")]
    theirs = labels.add(boreal.principal(), name="D", color="#112233")
    for wanted in (made, made[:2], made[:2], made[1:]):
        body = {"labels": [str(each.pk) for each in wanted]}
        shown = good(owner.send("PUT", path(conversation, "labels"), body))
        assert [each["name"] for each in shown["labels"]] == sorted(each.name for each in wanted)
    body = {"labels": [str(made[0].pk), str(theirs.pk)]}
    assert owner.send("PUT", path(conversation, "labels"), body).status_code == 404
    assert ConversationLabel.across_organizations.count() == 2
    assert trail(aurora).count("conversation.labelled") == 3
    good(owner.delete(f"/v1/labels/{made[1].pk}"), 204)
    assert [each["name"] for each in good(owner.get(path(conversation)))["labels"]] == ["C"]


def test_note_is_deleted_by_its_author_or_an_administrator(
    owner: Api, aurora: House, conversation: Conversation
) -> None:
    agent, colleague = as_member(aurora.agent), as_member(aurora.admin)
    mine = good(agent.post(path(conversation, "notes"), {"text": "Wants it gift-wrapped"}), 201)
    assert mine["author"] == {"id": str(aurora.agent.pk), "name": "agent@aurora.example"}
    theirs = good(owner.post(path(conversation, "notes"), {"text": "Done"}), 201)
    by_key = good(with_key(aurora.organization).post(path(conversation, "notes"), {"text": "Paid"}), 201)
    assert by_key["author"] is None
    assert [each["text"] for each in good(agent.get(path(conversation, "notes")))["data"]] == [
        "Paid", "Done", "Wants it gift-wrapped",
    ]  # fmt: skip
    for other in (theirs, by_key):
        assert agent.delete(f"/v1/notes/{other['id']}").json()["code"] == "not_the_author"
    good(agent.delete(f"/v1/notes/{mine['id']}"), 204)
    good(colleague.delete(f"/v1/notes/{theirs['id']}"), 204)
    good(with_key(aurora.organization, Scope.MESSAGES_WRITE).delete(f"/v1/notes/{by_key['id']}"), 204)
    assert not ConversationNote.across_organizations.exists()
    assert "gift" not in str(list(AuditEvent.across_organizations.values()))


def test_many_are_changed_at_once_and_strangers_are_not(owner: Api, aurora: House, boreal: House) -> None:
    ours = [history.queued(aurora, to=to).conversation for to in (ANA, BIA)]
    theirs = history.queued(boreal).conversation
    label = labels.add(aurora.principal(), name="Entrega", color="#112233")
    Conversation.across_organizations.update(unread_count=1)
    ids = [str(each.pk) for each in (*ours, theirs)]
    for said, is_done in (
        ({"action": "assign", "member_id": str(aurora.agent.pk)}, lambda row: row.assignee_id == aurora.agent.pk),
        ({"action": "assign", "member_id": None}, lambda row: row.assignee_id is None),
        ({"action": "label", "labels": [str(label.pk)]}, lambda row: list(row.labels.all()) == [label]),
        ({"action": "read"}, lambda row: row.unread_count == 0),
        ({"action": "close"}, lambda row: row.closed_at is not None),
        ({"action": "reopen"}, lambda row: row.closed_at is None),
    ):
        for changed in (2, 0):
            answer = good(owner.post("/v1/conversations/bulk", {"ids": ids, **said}))
            assert answer == {"changed": changed, "unknown": [str(theirs.pk)]}, said
        rows = Conversation.objects.for_organization(aurora.organization)
        assert all(is_done(row) for row in rows), said
    theirs.refresh_from_db()
    assert (theirs.unread_count, theirs.closed_at, theirs.assignee_id) == (1, None, None)
    assert trail(aurora).count("conversations.closed") == 1


def test_bulk_says_what_it_lacks(owner: Api, aurora: House, boreal: House, conversation: Conversation) -> None:
    one = [str(conversation.pk)]
    for wrong, pointer in (
        ({"ids": one, "action": "assign"}, "/member_id"), ({"ids": one, "action": "label"}, "/labels"),
        ({"ids": [], "action": "close"}, "/ids"), ({"ids": one, "action": "delete"}, "/action"),
        ({"ids": one * 501, "action": "close"}, "/ids"),
    ):  # fmt: skip
        answer = owner.post("/v1/conversations/bulk", wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    stranger = {"ids": one, "action": "assign", "member_id": str(boreal.agent.pk)}
    assert owner.post("/v1/conversations/bulk", stranger).status_code == 404


def test_lists_cost_the_same_for_one_and_for_many(owner: Api, aurora: House) -> None:
    made = labels.add(aurora.principal(), name="Entrega", color="#112233")
    for number in range(20):
        each = history.queued(aurora, to=f"+55119123456{number:02d}").conversation
        inbox.assign(aurora.principal(), each, aurora.agent.pk)
        inbox.label_many(aurora.principal(), [each.pk], [made.pk])
    for where in (
        "/v1/conversations?",
        "/v1/conversations/recent?",
        f"/v1/conversations?label={made.pk}&state=open&",
    ):
        with CaptureQueriesContext(connection) as few:
            assert len(good(owner.get(f"{where}limit=1"))["data"]) == 1
        with CaptureQueriesContext(connection) as many:
            assert len(good(owner.get(f"{where}limit=20"))["data"]) == 20
        assert len(few) == len(many), where


def test_bulk_costs_the_same_for_one_and_for_many(owner: Api, aurora: House) -> None:
    rows = [history.queued(aurora, to=f"+55119123456{number:02d}").conversation for number in range(20)]
    label: Label = labels.add(aurora.principal(), name="Entrega", color="#112233")
    said = {"action": "label", "labels": [str(label.pk)]}
    with CaptureQueriesContext(connection) as few:
        good(owner.post("/v1/conversations/bulk", {"ids": [str(rows[0].pk)], **said}))
    with CaptureQueriesContext(connection) as many:
        good(owner.post("/v1/conversations/bulk", {"ids": [str(each.pk) for each in rows[1:]], **said}))
    assert len(few) == len(many)


def test_whoever_answers_has_read(aurora: House, conversation: Conversation) -> None:
    Conversation.across_organizations.update(unread_count=2)
    answered = inbox.answer(aurora.principal("agent"), conversation, "On its way!")
    assert isinstance(answered, Accepted)
    conversation.refresh_from_db()
    assert conversation.unread_count == 0
    assert trail(aurora) == ["conversation.read", "conversation.answered"]

    Conversation.across_organizations.update(unread_count=2, closed_at=clock.now())
    refused = inbox.answer(aurora.principal("agent"), conversation, "Too late?")
    assert isinstance(refused, Refused)
    assert refused.code == "conversation_closed"
    conversation.refresh_from_db()
    assert conversation.unread_count == 2
