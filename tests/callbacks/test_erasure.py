"""What webhooks say of a person who is erased."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from uuid import UUID

import orjson
import pytest
from django.db import connection, transaction

from apps.callbacks import deliveries as sent
from apps.callbacks import endpoints
from apps.callbacks import erasure as deliveries_of
from apps.callbacks.engine.claim import claim
from apps.callbacks.engine.fan_out import fan_out
from apps.callbacks.models import WebhookDelivery
from apps.messaging.erasure import Report, erase
from apps.messaging.models import Contact
from tests.callbacks.office import Office, add_endpoint, fan_out_all
from tests.cast import House
from tests.messaging import history
from tests.messaging.desk import open_account
from tests.messaging.test_incoming import ANA, BIA, come_in, said
from tests.traces import traces_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("webhook_cursor")]

WORD = "jacaranda"


def ana_of(house: House) -> Contact:
    return Contact.objects.for_organization(house.organization).get(addresses__value=f"+{ANA}")


def erase_ana(house: House) -> Report:
    return erase(house.principal(), ana_of(house), "asked for")


def deliveries(house: House) -> list[tuple[str, str]]:
    found = WebhookDelivery.objects.for_organization(house.organization).order_by("pk")
    return [(each.state, each.payload) for each in found]


def test_what_was_told_is_emptied(office: Office, aurora: House) -> None:
    open_account(aurora, "whatsapp_cloud")
    office.receiver.statuses["/hooks"] = 200
    office.receiver.body = WORD.encode()
    office.endpoint()
    come_in(said(WORD, "wamid.1"), name="Ana Lima")
    assert fan_out_all() == 1
    office.deliver()
    assert {"webhook_delivery.payload", "webhook_delivery.last_response"} <= traces_of(WORD)
    assert erase_ana(aurora).as_dict()["callbacks"] == {"payloads": 1, "dropped": 0}
    assert deliveries(aurora) == [("delivered", "{}")]
    assert traces_of(WORD, ANA, "Ana Lima") == set()
    delivery = WebhookDelivery.across_organizations.get()
    with pytest.raises(sent.PayloadErased):
        sent.replay(aurora.principal(), delivery)
    everything = sent.Selection(since=aurora.organization.created_at, state="delivered")
    assert sent.replay_many(aurora.principal(), delivery.endpoint, everything).matched == 0


def test_what_has_not_arrived_is_dropped(office: Office, aurora: House) -> None:
    open_account(aurora, "whatsapp_cloud")
    for path in ("/waits", "/is-sent"):
        office.endpoint(path)
    come_in(said(WORD, "wamid.1"))
    come_in(said("kept", "wamid.2", sender=BIA))
    fan_out_all()
    assert claim(1)
    assert erase_ana(aurora).as_dict()["callbacks"] == {"payloads": 0, "dropped": 2}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webhook_delivery SET state = 'waiting', lease = NULL")
    office.deliver()
    assert [orjson.loads(call.body)["data"]["text"] for call in office.receiver.calls] == ["kept", "kept"]


def test_what_is_told_afterwards_has_no_words(aurora: House) -> None:
    open_account(aurora, "whatsapp_cloud")
    add_endpoint(aurora)
    come_in(said(WORD, "wamid.1"))
    ana = ana_of(aurora)
    erase_ana(aurora)
    fan_out_all()
    assert traces_of(WORD, ANA) == set()
    assert deliveries_of.erase(aurora.organization, ana.pk)["dropped"] > 0


def test_whoever_is_writing_deliveries_down_is_waited_for(aurora: House) -> None:
    open_account(aurora, "whatsapp_cloud")
    add_endpoint(aurora)
    come_in(said(WORD, "wamid.1"))
    ana, written, goes_on = ana_of(aurora), Event(), Event()

    def write_down() -> None:
        with transaction.atomic():
            while not WebhookDelivery.across_organizations.exists():
                fan_out()
            written.set()
            goes_on.wait(10)
        connection.close()

    def erase_meanwhile() -> None:
        erase(aurora.principal(), ana, "asked for")
        connection.close()

    with ThreadPoolExecutor(2) as others:
        writing = others.submit(write_down)
        assert written.wait(10)
        erasing = others.submit(erase_meanwhile)
        with suppress(TimeoutError):
            erasing.result(1)
        goes_on.set()
        writing.result(10)
        erasing.result(10)
    assert traces_of(WORD, ANA) == set()


def test_endpoint_that_is_gone_keeps_nothing(aurora: House) -> None:
    open_account(aurora, "whatsapp_cloud")
    endpoint = add_endpoint(aurora)
    come_in(said(WORD, "wamid.1"))
    fan_out_all()
    endpoints.remove(aurora.principal(), endpoint)
    assert "webhook_delivery.payload" in traces_of(WORD)
    erase_ana(aurora)
    assert traces_of(WORD) == set()


def test_what_others_were_told_stays(aurora: House, boreal: House) -> None:
    for house in (aurora, boreal):
        add_endpoint(house)
    theirs = history.sent(boreal, to=f"+{ANA}")
    history.sent(aurora, to=f"+{ANA}")
    kept = history.sent(aurora, to=f"+{BIA}")
    fan_out_all()
    before = deliveries(boreal)
    erase_ana(aurora)
    assert deliveries(boreal) == before
    assert before
    assert _messages(aurora) == {kept.pk}
    assert deliveries_of.erase(aurora.organization, theirs.conversation.contact_id) == {
        "payloads": 0,
        "dropped": 0,
    }
    assert deliveries(boreal) == before


def _messages(house: House) -> set[UUID]:
    return {UUID(orjson.loads(payload)["data"]["message_id"]) for _, payload in deliveries(house)}
