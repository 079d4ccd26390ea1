"""The inbox in the admin: members read, answer, sort and note, and meet nobody else's people."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.admin.long_tables import newest as admin_newest
from apps.accounts.models import User
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging import contacts, inbox, labels, notes
from apps.messaging.models import Contact, ContactAddress, Conversation, ConversationNote, Label, Message
from apps.messaging.statuses import Direction, Status
from tests.cast import PASSWORD, House
from tests.messaging import history
from tests.messaging.history import ANA, BIA

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client(aurora: House) -> Client:
    return browser(aurora.agent.user)


@pytest.fixture
def conversation(aurora: House) -> Conversation:
    return history.conversation(aurora)


def page_of(thing: Conversation | Contact | Label) -> str:
    return reverse(f"admin:messaging_{thing._meta.model_name}_change", args=[thing.pk])


def form_of(conversation: Conversation, name: str) -> str:
    return reverse(f"admin:messaging_conversation_{name}", args=[conversation.pk])


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    content: str = answer.content.decode()
    return content


def rows(client: Client, kind: str, query: str) -> list[str]:
    answer = client.get(f"/admin/messaging/{kind}/?{query}")
    assert answer.status_code == 200
    return [str(row.pk) for row in answer.context["cl"].result_list]


def heard(conversation: Conversation, said: str) -> None:
    now = clock.now()
    image = {"kind": "image", "url": "https://x.example/1", "file_name": "bolo.png", "media_type": ""}
    Message.across_organizations.create(
        organization=conversation.organization, account=conversation.account, conversation=conversation,
        direction=Direction.INBOUND, status=Status.RECEIVED, text=said, created_at=now, expires_at=now,
        content={"media": image},
    )  # fmt: skip
    Conversation.across_organizations.filter(pk=conversation.pk).update(unread_count=1, last_inbound_at=now)


def test_page_shows_the_conversation_as_people_see_it(client: Client, aurora: House) -> None:
    conversation = history.dead(aurora, to=ANA).message.conversation
    heard(conversation, "Tem <b>bolo</b>?")
    history.queued(aurora, to=ANA)
    notes.write(aurora.principal(), conversation, "Allergic to nuts")
    page = text(client.get(page_of(conversation)))
    bubbles = re.findall(r'class="bubble (\w+)" data-status="(\w+)"', page)
    assert bubbles == [("outbound", "failed"), ("inbound", "received"), ("outbound", "queued")]
    for said in ("Tem &lt;b&gt;bolo&lt;/b&gt;?", "image: bolo.png", "Allergic to nuts", "1 unread message"):
        assert said in page
    assert "more than a day since they wrote" in page


def test_page_offers_what_can_be_done_now(client: Client, aurora: House, conversation: Conversation) -> None:
    def offered(who: Client) -> list[str]:
        page = text(who.get(page_of(conversation)))
        return [
            verb for verb in ("Mark as read", "Open again", "Close", "Send", "Assign", "Add note")
            if re.search(rf"<button[^>]*>\s*{verb}\s*</button>", page)
        ]  # fmt: skip

    assert offered(client) == ["Close", "Send", "Assign", "Add note"]
    Conversation.across_organizations.update(closed_at=clock.now(), unread_count=1)
    assert offered(client) == ["Mark as read", "Open again", "Assign", "Add note"]
    assert offered(browser(aurora.viewer.user)) == []


def test_answer_is_sent_and_what_was_unread_is_read(
    client: Client, aurora: House, conversation: Conversation
) -> None:
    heard(conversation, "Hello?")
    assert client.post(form_of(conversation, "reply"), {"reply-text": "  Hi!\nHow are you?"}).status_code == 302
    newest = Message.across_organizations.latest("pk")
    assert (newest.text, newest.status) == ("  Hi!\nHow are you?", "queued")
    conversation.refresh_from_db()
    assert conversation.unread_count == 0


def test_answer_that_cannot_be_sent_says_why_and_is_not_lost(
    client: Client, aurora: House, conversation: Conversation
) -> None:
    ChannelAccount.across_organizations.update(reply_window="enforced")
    Conversation.across_organizations.update(last_inbound_at=clock.now() - timedelta(hours=25))
    assert "The time to reply is over" in text(client.get(page_of(conversation)))
    page = text(client.post(form_of(conversation, "reply"), {"reply-text": "Are you still there?"}))
    assert "Are you still there?" in page
    assert "24 hours after they wrote" in page
    assert Message.across_organizations.count() == 1
    assert "This field is required" in text(client.post(form_of(conversation, "reply"), {"reply-text": ""}))


def test_conversation_is_assigned_labelled_noted_and_read(
    client: Client, aurora: House, conversation: Conversation
) -> None:
    label = labels.add(aurora.principal(), name="Entrega", color="#112233")
    heard(conversation, "Hello?")
    client.post(form_of(conversation, "assign"), {"member": aurora.agent.pk})
    client.post(form_of(conversation, "labels"), {"labels": [label.pk]})
    client.post(form_of(conversation, "note"), {"note-text": "Call back"})
    client.post(form_of(conversation, "read"))
    conversation.refresh_from_db()
    assert (conversation.assignee, conversation.unread_count) == (aurora.agent, 0)
    assert list(conversation.labels.all()) == [label]
    note = conversation.notes.get()
    assert (note.text, note.author) == ("Call back", aurora.agent)
    client.post(form_of(conversation, "delete-note"), {"note": note.pk})
    client.post(form_of(conversation, "assign"), {"member": ""})
    client.post(form_of(conversation, "labels"), {})
    conversation.refresh_from_db()
    assert (conversation.assignee, conversation.labels.count(), conversation.notes.count()) == (None, 0, 0)


def test_strangers_are_neither_offered_nor_taken(
    client: Client, aurora: House, boreal: House, conversation: Conversation
) -> None:
    label = labels.add(boreal.principal(), name="Fiction", color="#112233")
    theirs = history.conversation(boreal)
    note = notes.write(boreal.principal(), theirs, "Theirs")
    page = text(client.get(page_of(conversation))) + text(client.get("/admin/messaging/conversation/"))
    assert not [each for each in ("boreal", "Fiction", str(label.pk), str(boreal.agent.pk)) if each in page]
    assert "Select a valid choice" in text(
        client.post(form_of(conversation, "assign"), {"member": boreal.agent.pk})
    )
    client.post(form_of(conversation, "labels"), {"labels": [label.pk]})
    for pk in (note.pk, "nonsense"):
        assert client.post(form_of(conversation, "delete-note"), {"note": pk}).status_code == 302
    for name in ("reply", "read", "assign", "labels", "note", "delete-note"):
        assert client.post(form_of(theirs, name), {"reply-text": "x", "note-text": "x"}).status_code == 404
        assert browser(aurora.viewer.user).post(form_of(conversation, name), {}).status_code == 403
        assert client.get(form_of(conversation, name)).status_code == 302
    conversation.refresh_from_db()
    assert (conversation.assignee, conversation.labels.count()) == (None, 0)
    assert (ConversationNote.across_organizations.count(), Message.across_organizations.count()) == (1, 2)


def test_somebody_elses_note_is_not_deleted(client: Client, aurora: House, conversation: Conversation) -> None:
    note = notes.write(aurora.principal(), conversation, "By the owner")
    assert "Delete note" not in text(client.get(page_of(conversation)))
    answer = client.post(form_of(conversation, "delete-note"), {"note": note.pk}, follow=True)
    assert "Only who wrote a note" in text(answer)
    assert ConversationNote.across_organizations.exists()


def test_list_is_narrowed_down(client: Client, aurora: House, boreal: House) -> None:
    ana = history.queued(aurora, to=ANA).conversation
    bia = history.queued(aurora, to=BIA).conversation
    theirs = history.conversation(boreal)
    label = labels.add(aurora.principal(), name="Entrega", color="#112233")
    inbox.set_labels(aurora.principal(), ana, [label.pk])
    inbox.assign(aurora.principal(), ana, aurora.agent.pk)
    inbox.close_many(aurora.principal(), [bia.pk])
    Conversation.across_organizations.filter(pk__in=[bia.pk, theirs.pk]).update(unread_count=2)
    Contact.across_organizations.filter(pk=bia.contact_id).update(name="Bia Souza")
    for query, expected in [
        ("state=open", [ana]), ("state=closed", [bia]), ("unread=yes", [bia]), ("assignee=me", [ana]),
        ("assignee=none", [bia]), (f"assignee={aurora.owner.pk}", []), (f"label={label.pk}", [ana]),
        ("q=bia", [bia]), ("q=souza", []), (f"q={ana.pk}", [ana]), ("assignee=x", [bia, ana]),
    ]:  # fmt: skip
        answer = client.get(f"/admin/messaging/conversation/?{query}", follow=True)
        found = [row.pk for row in answer.context["cl"].result_list]
        assert found == [each.pk for each in expected], query
    assert "Bia Souza" in text(client.get("/admin/messaging/conversation/"))
    assert rows(client, "contact", "q=bia") == [str(bia.contact_id)]


def test_superuser_sees_the_inboxes_of_all(aurora: House, boreal: House) -> None:
    root = browser(User.objects.create_superuser("root@recado.example", PASSWORD))
    ours, theirs = history.conversation(aurora), history.conversation(boreal)
    assert rows(root, "conversation", "") == [str(theirs.pk), str(ours.pk)]
    assert "agent@aurora.example" not in text(root.get(page_of(theirs)))
    root.post(form_of(theirs, "assign"), {"member": boreal.agent.pk})
    theirs.refresh_from_db()
    assert theirs.assignee == boreal.agent


def test_page_and_list_cost_the_same_for_little_and_for_much(client: Client, aurora: House) -> None:
    def costs() -> list[int]:
        found = []
        for page in (page_of(first), "/admin/messaging/conversation/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(page)
            found.append(len(queries))
        return found

    first = history.conversation(aurora)
    label = labels.add(aurora.principal(), name="Entrega", color="#112233")
    inbox.set_labels(aurora.principal(), first, [label.pk])
    inbox.assign(aurora.principal(), first, aurora.agent.pk)
    notes.write(aurora.principal(), first, "One")
    client.get(page_of(first))
    few = costs()
    for number in range(10):
        history.queued(aurora)
        notes.write(aurora.principal(), first, "More")
        other = history.queued(aurora, to=f"+55119123456{number:02d}").conversation
        inbox.set_labels(aurora.principal(), other, [label.pk])
        inbox.assign(aurora.principal(), other, aurora.agent.pk)
    assert costs() == few


def contact_form(contact: Contact, *added: tuple[str, str], removed: bool = False, **said: Any) -> dict[str, Any]:
    """As the page posts it."""
    known = list(contact.addresses.order_by("kind", "value"))
    form = {"name": "Ana", "language": "", "time_zone": "", "consent_events-TOTAL_FORMS": "0",
            "consent_events-INITIAL_FORMS": "0", "addresses-INITIAL_FORMS": str(len(known)),
            "addresses-TOTAL_FORMS": str(len(known) + len(added))} | said  # fmt: skip
    for n, address in enumerate(known):
        form |= {f"addresses-{n}-id": str(address.pk), f"addresses-{n}-contact": str(contact.pk)}
        if removed:
            form[f"addresses-{n}-DELETE"] = "on"
    for n, (kind, value) in enumerate(added, len(known)):
        form |= {f"addresses-{n}-kind": kind, f"addresses-{n}-value": value,
                 f"addresses-{n}-contact": str(contact.pk)}  # fmt: skip
    return form


def test_contact_is_changed_on_its_page(client: Client, aurora: House) -> None:
    ana = history.contact(aurora)
    said = {"name": "Ana Lima", "language": "pt-BR", "time_zone": "America/Recife"}
    form = contact_form(ana, ("email", "ana@Exemplo.com")) | said
    assert client.post(page_of(ana), form).status_code == 302
    ana.refresh_from_db()
    assert (ana.name, ana.language, ana.time_zone) == ("Ana Lima", "pt-br", "America/Recife")
    assert {each.value for each in ana.addresses.all()} == {ANA, "ana@exemplo.com"}
    client.post(page_of(ana), contact_form(ana, removed=True))
    assert not ContactAddress.across_organizations.exists()


def test_contacts_page_says_what_is_wrong(client: Client, aurora: House) -> None:
    bia = history.queued(aurora, to=BIA).conversation.contact
    ana = history.contact(aurora)
    for said, expected in (
        (contact_form(ana, language="x"), "This is no language"),
        (contact_form(ana, time_zone="Mars/Base"), "This is no time zone"),
        (contact_form(ana, ("phone", "12")), "This is no phone number"),
        (contact_form(ana, ("phone", BIA)), "Somebody else is reached at this address"),
    ):
        assert expected in text(client.post(page_of(ana), said, follow=True))
    ana.refresh_from_db()
    assert ana.name == ""
    assert list(bia.addresses.values_list("value", flat=True)) == [BIA]
    viewer = browser(aurora.viewer.user)
    assert viewer.post(page_of(ana), contact_form(ana, name="Forged")).status_code == 403


def test_two_contacts_are_merged_into_the_older(client: Client, aurora: House, boreal: House) -> None:
    older, newer = history.contact(aurora), history.queued(aurora, to=BIA).conversation.contact
    theirs = history.contact(boreal)
    chosen = {"action": "merge_selected", "_selected_action": [str(newer.pk), str(theirs.pk), str(older.pk)]}
    page = client.post("/admin/messaging/contact/", chosen)["Location"]
    assert BIA in text(client.get(page))
    assert Contact.across_organizations.count() == 3
    assert client.post(page)["Location"] == page_of(older)
    assert {each.value for each in older.addresses.all()} == {ANA, BIA}
    assert not Contact.across_organizations.filter(pk=newer.pk).exists()
    for ids in (f"{older.pk},{theirs.pk}", f"{older.pk}", "x", f"{older.pk},{older.pk}"):
        assert client.post(f"/admin/messaging/contact/merge/?ids={ids}").status_code == 404
    one = {"action": "merge_selected", "_selected_action": [str(older.pk)]}
    assert "Choose two contacts" in text(client.post("/admin/messaging/contact/", one, follow=True))
    assert browser(aurora.viewer.user).get("/admin/messaging/contact/merge/?ids=x").status_code == 403


def test_labels_are_kept_on_pages_of_their_own(client: Client, aurora: House, boreal: House) -> None:
    theirs = labels.add(boreal.principal(), name="Fiction", color="#112233")
    client.post("/admin/messaging/label/add/", {"name": "Entrega", "color": "#AA0000"})
    label = Label.objects.for_organization(aurora.organization).get()
    assert (label.name, label.color) == ("Entrega", "#aa0000")
    client.post(page_of(label), {"name": "Entregas", "color": "#aa0000"})
    label.refresh_from_db()
    assert label.name == "Entregas"
    assert rows(client, "label", "") == [str(label.pk)]
    assert "red" in text(client.post(page_of(label), {"name": "x", "color": "red"}))
    assert client.get(page_of(theirs)).status_code == 302
    taken = client.post("/admin/messaging/label/add/", {"name": "Entregas", "color": "#aa0000"}, follow=True)
    assert "Another label has this name" in text(taken)
    client.post(f"/admin/messaging/label/{label.pk}/delete/", {"post": "yes"})
    assert Label.across_organizations.get() == theirs


def test_person_without_a_name_is_called_by_their_address(client: Client, aurora: House) -> None:
    nobody = contacts.add(aurora.principal())
    assert "(no name)" in text(client.get("/admin/messaging/contact/"))
    assert client.get(page_of(nobody)).status_code == 200


def test_whoever_sees_all_organizations_is_shown_the_newest_that_nobody_has(
    aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = browser(User.objects.create_superuser("root@recado.example", PASSWORD))
    history.conversation(aurora)
    theirs = history.conversation(boreal)
    monkeypatch.setattr(admin_newest, "MOST_LOOKED_AT", 1)
    page = root.get(f"{reverse('admin:messaging_conversation_changelist')}?assignee=none")
    assert list(page.context["cl"].result_list) == [theirs]
    assert "Look further back" in text(page)
