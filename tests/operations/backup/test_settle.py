"""A database that comes back to another world: numbered anew, held, and clients are told."""

from typing import Any

import pytest
from django.db import connection, transaction

from apps.callbacks.models import WebhookCursor
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.redis import redis_client
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage
from apps.messaging.engine.publish import publish_forgotten
from apps.messaging.models import EventCursor, MessageEvent
from apps.operations.backup import hold, renumber
from apps.operations.backup.settle import settle
from apps.operations.models import TrafficCursor
from apps.operations.traffic.count import count_new
from apps.realtime import stream
from tests.cast import House
from tests.messaging.desk import ANA, open_account

pytestmark = pytest.mark.django_db(transaction=True)

FAR = 5_000_000_000


@pytest.fixture(autouse=True)
def _cursors(transactional_db: None) -> None:
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})
    WebhookCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})


def send(house: House, account: ChannelAccount, *texts: str) -> None:
    with transaction.atomic():
        accept(house.organization, [NewMessage(text, account.id, ANA) for text in texts])


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def come_from_far() -> None:
    """As a dump of a server that has counted much further leaves it."""
    sql("UPDATE message_event SET transaction = (transaction::text::bigint + %s)::text::xid8", FAR)
    for name in renumber.CURSORS:
        sql(f"UPDATE {name} SET transaction = (transaction::text::bigint + %s)::text::xid8", FAR)


def test_every_column_of_transaction_ids_is_known() -> None:
    """Whoever adds one says here what becomes of it after a restore."""
    found = sql(
        "SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE atttypid = 'xid8'::regtype AND relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    assert {name for (name,) in found} == {"message_event", *renumber.CURSORS}


def test_without_it_nothing_that_happens_is_ever_told(aurora: House) -> None:
    """What all of it is for: numbers of another server stop the stream, webhooks and the traffic's counters."""
    account = open_account(aurora, "whatsapp_cloud")
    send(aurora, account, "before")
    come_from_far()
    send(aurora, account, "after")
    assert publish_forgotten() == 0


def test_events_are_told_once_each_and_from_where_each_reader_stood(aurora: House) -> None:
    account = open_account(aurora, "whatsapp_cloud")
    TrafficCursor.objects.create(pk=1, transaction="0", event_id=0, counted_at=clock.now())
    send(aurora, account, "1", "2")
    assert publish_forgotten() == 2
    send(aurora, account, "3")
    assert count_new() == 3
    send(aurora, account, "4")
    come_from_far()
    redis_client().flushdb()
    assert renumber.renumber()
    # The stream stood behind the second, the counters behind the third; webhooks had read nothing.
    assert publish_forgotten() == 2
    assert count_new() == 1
    assert len(sql(_UNREAD_BY_WEBHOOKS)) == 4
    send(aurora, account, "5")
    assert publish_forgotten() == 1
    assert count_new() == 1
    assert len(sql(_UNREAD_BY_WEBHOOKS)) == 5
    assert not renumber.renumber()


_UNREAD_BY_WEBHOOKS = """
SELECT 1 FROM message_event, webhook_cursor
 WHERE (message_event.transaction, message_event.id) > (webhook_cursor.transaction, webhook_cursor.event_id)
   AND message_event.transaction < pg_snapshot_xmax(pg_current_snapshot())
"""


def test_what_was_not_moved_is_left_as_it_is(aurora: House) -> None:
    send(aurora, open_account(aurora, "whatsapp_cloud"), "1")
    before = sql("SELECT id, transaction::text FROM message_event")
    assert not renumber.renumber()
    assert sql("SELECT id, transaction::text FROM message_event") == before


def test_ids_of_the_time_that_was_lost_are_used_by_nobody(aurora: House) -> None:
    account = open_account(aurora, "whatsapp_cloud")
    send(aurora, account, "1")
    last = MessageEvent.across_organizations.latest("id").pk
    settle(None, holds=False)
    send(aurora, account, "2")
    assert MessageEvent.across_organizations.latest("id").pk > last + renumber.SKIPPED_IDS


def test_redis_that_outlived_the_database_begins_a_new_epoch(aurora: House) -> None:
    account = open_account(aurora, "whatsapp_cloud")
    send(aurora, account, "1")
    publish_forgotten()
    send(aurora, account, "2")
    client = redis_client()
    epoch = client.get(stream.EPOCH)
    client.set("recado:events:position", f"{FAR}/99")  # what the lost database has told
    assert settle(None, holds=False).has_new_epoch
    assert client.get(stream.EPOCH) != epoch
    assert publish_forgotten() == 1


def test_everything_is_held_until_it_is_released(aurora: House, boreal: House) -> None:
    once, often = (
        open_account(aurora, "whatsapp_cloud", name="once", on_unknown="dead_letter"),
        open_account(boreal, "whatsapp_cloud", name="often"),
    )
    by_hand = open_account(aurora, "whatsapp_cloud", name="by hand")
    accounts.pause(aurora.principal(), by_hand, reason="Black Friday")
    for_a_while = open_account(aurora, "whatsapp_cloud", name="a while")
    accounts.pause(aurora.principal(), for_a_while, reason="lunch", until=clock.now())
    send(aurora, once, "1", "2")
    send(boreal, often, "3")

    def paused() -> set[str]:
        found = ChannelAccount.across_organizations.filter(paused_at__isnull=False, paused_until=None)
        return {account.name.removeprefix("WhatsApp Cloud ").removeprefix("WhatsApp ") for account in found}

    assert hold.hold(clock.now()) == 3
    everything = {"once", "often", "by hand", "a while"}
    assert paused() == everything
    assert [(each.messages, each.overdue, each.at_most_once) for each in hold.waiting()] == [
        (1, 1, False),
        (2, 2, True),
    ]
    assert hold.hold(clock.now()) == 0
    assert hold.release(also_at_most_once=False) == 2
    assert paused() == {"once", "by hand"}
    assert hold.held() == 1
    assert hold.release(also_at_most_once=True) == 1
    assert paused() == {"by hand"}
