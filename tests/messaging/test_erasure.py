"""Nothing is left of a person but that there was one; whoever writes from their address afterwards is new."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import NotFound

from apps.accounts.models import AuditEvent
from apps.core import clock
from apps.core.redis import redis_client
from apps.messaging import erasure
from apps.messaging.consent import choices, suppressions
from apps.messaging.engine.new_message import NewMessage
from apps.messaging.engine.publish import publish_batch
from apps.messaging.erasure import erase, messages_of
from apps.messaging.models import (
    ConsentEvent,
    ConsentSource,
    Contact,
    Delivery,
    Message,
    Suppression,
)
from apps.realtime.stream import stream_of
from tests.cast import House, add_channel_account, with_key
from tests.messaging import history
from tests.messaging.desk import ANA, BIA, Desk
from tests.messaging.left_behind import LEFT_BEHIND, NAME, PERSON, REASON, WORD, ana_of, erase_ana, talk
from tests.messaging.provider import Provider
from tests.messaging.test_incoming import come_in, said
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_left_but_what_protects_them(desk: Desk, aurora: House, provider: Provider) -> None:
    ana = talk(aurora, desk, provider)
    come_in(said("STOP", "wamid.stop"), name=NAME)
    given = with_key(aurora.organization).post(
        "/v1/messages", {"account_id": str(desk.account.id), "to": BIA, "text": "Oi"}, **{"Idempotency-Key": "1"}
    )
    assert given.status_code == 202, given.content
    assert traces_of(*PERSON) >= LEFT_BEHIND
    erase(aurora.principal(), ana, REASON)
    assert traces_of(*PERSON) == {"suppression.value"}
    while publish_batch().published:
        pass
    assert WORD not in str(redis_client().xrange(stream_of(aurora.organization.id)))


def test_report_counts_and_the_trail_tells(desk: Desk, aurora: House, provider: Provider) -> None:
    ana = talk(aurora, desk, provider)
    report = erase(aurora.principal(), ana, REASON).as_dict()
    done = report["messaging"]
    assert (done["addresses"], done["notes"], done["labels"], done["routes"]) == (2, 1, 1, 1)
    # What waited for her, what was for later, and the forward of what she wrote.
    assert done["cancelled"] == 3
    assert (done["dead_letters"], done["fallbacks"], done["suppressions_kept"]) == (1, 1, 2)
    assert done["messages"] == Message.across_organizations.count()
    assert {"billing", "callbacks", "trail"} <= report.keys()
    told = AuditEvent.across_organizations.get(action="contact.erased")
    assert (told.target_id, told.target_label) == (ana.pk, "[erased]")
    assert told.changes["reason"] == [None, REASON]
    assert told.changes["messaging.addresses"] == [None, 2]
    about_her = AuditEvent.across_organizations.filter(target_id=ana.pk).exclude(pk=told.pk)
    assert set(about_her.values_list("target_label", flat=True)) == {"[erased]"}
    assert {event.action for event in about_her} >= {"contact.changed", "contact.merged", "consent.recorded"}


def test_who_writes_again_is_new(desk: Desk, aurora: House) -> None:
    come_in(said("Oi", "wamid.1"), name=NAME)
    before = ana_of(aurora)
    erase(aurora.principal(), before, REASON)
    come_in(said("Oi de novo", "wamid.2"), name=NAME)
    after = ana_of(aurora)
    assert after.pk != before.pk
    assert (after.name, after.left_at) == (NAME, None)
    assert [message.text for message in Message.across_organizations.filter(conversation__contact=after)] == [
        "Oi de novo"
    ]
    before.refresh_from_db()
    assert (before.name, before.language, before.time_zone) == ("[erased]", "", "")
    (answered,) = desk.accept("Olá")
    assert Message.across_organizations.get(pk=answered).conversation.contact_id == after.pk


def test_twice_is_harmless_and_half_way_is_gone_on_with(
    desk: Desk, aurora: House, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = talk(aurora, desk, provider)

    def die(*_args: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "erase_messages", die)
        with pytest.raises(KeyboardInterrupt):
            erase(aurora.principal(), ana, REASON)
    assert traces_of(WORD)
    assert not Delivery.across_organizations.filter(account=desk.account).exists(), "that comes first"
    assert not AuditEvent.across_organizations.filter(action="contact.erased").exists()
    erase(aurora.principal(), ana, REASON)
    # She had refused offers: so much is known of her addresses.
    assert traces_of(*PERSON) == {"suppression.value"}
    again = erase(aurora.principal(), ana, REASON).counts["messaging"]
    assert {name: count for name, count in again.items() if count} == {}


def test_what_she_refused_stays_refused(desk: Desk, aurora: House) -> None:
    desk.accept("Oi")
    choices.choose(ana_of(aurora).pk, [choices.Choice("category:marketing", is_given=False)], ConsentSource.PAGE)
    suppressions.add(aurora.organization.id, "phone", [ANA], ConsentSource.OPERATOR, category="billing")
    choices.choose(ana_of(aurora).pk, [choices.Choice("all", is_given=False)], ConsentSource.PAGE)
    report = erase_ana(aurora)
    assert report.counts["messaging"]["suppressions_kept"] == 2
    assert set(Suppression.across_organizations.values_list("value", "category")) == {(ANA, ""), (ANA, "billing")}
    (refused,) = desk.answers([NewMessage(text="Oi", account_id=desk.account.id, to=ANA)])
    assert getattr(refused, "code", "") == "opted_out"
    events = ConsentEvent.across_organizations.order_by("id").values_list("subject", "is_given", "detail")
    assert list(events) == [
        ("category:marketing", False, ""),
        ("phone:[erased] billing", False, ""),
        ("all", False, ""),
        ("phone:[erased]", False, ""),
    ]


def test_refused_categories_stay_refused(desk: Desk, aurora: House) -> None:
    desk.accept("Oi")
    choices.choose(ana_of(aurora).pk, [choices.Choice("category:marketing", is_given=False)], ConsentSource.PAGE)
    erase_ana(aurora)
    (refused,) = desk.answers([NewMessage(text="x", account_id=desk.account.id, to=ANA, category="marketing")])
    assert getattr(refused, "code", "") == "opted_out"
    assert len(desk.accept("Oi")) == 1


def test_nobody_else_is_touched(desk: Desk, aurora: House, boreal: House) -> None:
    theirs = history.sent(boreal, f"Um {WORD}")
    desk.accept(f"Um {WORD}", to=BIA)
    desk.accept("Oi")
    with pytest.raises(NotFound):
        erase(aurora.principal(), theirs.conversation.contact, REASON)
    erase_ana(aurora)
    assert set(Message.across_organizations.values_list("text", flat=True)) == {f"Um {WORD}", "[erased]"}
    assert ana_of(boreal).left_at is None
    assert not AuditEvent.across_organizations.filter(organization=boreal.organization, target_label="[erased]")
    assert Contact.across_organizations.get(addresses__value=BIA).left_at is None


def test_higher_apps_are_asked_once_messages_have_no_words(
    desk: Desk, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.accept("Oi")
    monkeypatch.setattr(erasure, "_erasers", dict(erasure._erasers))
    seen: list[tuple[UUID, set[str]]] = []

    def look(_organization: object, contact_id: UUID) -> dict[str, int]:
        seen.append((contact_id, set(Message.across_organizations.values_list("text", flat=True))))
        return {"things": 3}

    erasure.register("cellar", look)
    ana = ana_of(aurora)
    assert erase(aurora.principal(), ana, REASON).as_dict()["cellar"] == {"things": 3}
    assert seen == [(ana.pk, {"[erased]"})]


def test_many_messages_take_a_bounded_number_of_statements(aurora: House) -> None:
    account = add_channel_account(aurora)
    first = history.sent(aurora)
    Message.across_organizations.bulk_create(
        Message(
            organization=aurora.organization, account=account, conversation=first.conversation, text=f"{WORD} {n}",
            status="sent", category="transactional", expires_at=clock.now(), created_at=clock.now(),
            provider_id=f"wamid.{n}",
        )
        for n in range(5_000)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as asked:
        report = erase(aurora.principal(), first.conversation.contact, REASON)
    assert report.counts["messaging"]["messages"] == 5_001
    assert len(asked) < 300
    assert not traces_of(WORD)
    sizes = [len(ids) for ids in messages_of(aurora.organization, first.conversation.contact_id)]
    assert max(sizes) <= erasure.AT_ONCE
