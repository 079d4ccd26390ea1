"""What is told of messages whose trace is kept: their own spans, and links from what is done for many at once."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db.models import F
from pytest_django import Settings

from apps.core import tracing
from apps.core.redis import redis_client
from apps.messaging.engine.deliver import drain
from apps.messaging.engine.new_message import Step
from apps.messaging.engine.publish import publish_batch
from apps.messaging.engine.replay import replay
from apps.messaging.engine.traced import MOST_TOGETHER
from apps.messaging.models import DeadLetter, Delivery, EventCursor, Message, MessageEvent
from apps.realtime.source import batch_of
from apps.realtime.stream import stream_of
from tests.collector import Collector, Kept, run_collector
from tests.messaging.callbacks import hand_over, work_on_callbacks
from tests.messaging.desk import ANA, BIA, Desk
from tests.messaging.test_receipts import status, whatsapp_callback

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _cursor(transactional_db: None) -> None:
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})


@pytest.fixture
def collector(settings: Settings) -> Iterator[Collector]:
    with run_collector() as collector:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
        settings.TRACES_SAMPLE_RATIO = 1.0
        tracing.begin("test")
        yield collector
        tracing.end()


def trace_of(message_id: UUID) -> str | None:
    return Message.across_organizations.get(pk=message_id).trace


def told(collector: Collector) -> list[Kept]:
    tracing.end()
    return collector.spans


def drain_rung_by(desk: Desk, ringer: str | None = None) -> None:
    desk.loop.run(lambda own: drain(own, desk.account.id, 0, "the-task", ringer))


def test_all_that_happens_to_a_message_is_in_the_trace_of_its_request(desk: Desk, collector: Collector) -> None:
    with tracing.root("POST") as request:
        assert request is not None
        (message_id,) = desk.accept("a word nobody else may read")
    assert trace_of(message_id) is not None
    drain_rung_by(desk, request.traceparent)
    hand_over("whatsapp_cloud", whatsapp_callback(status("delivered", message_id)))
    work_on_callbacks()
    spans = told(collector)
    assert {span.trace_id for span in spans} == {request.trace_id}
    by_name = {span.name: span for span in spans}
    parents = {name: next(each.name for each in spans if each.span_id == span.parent)
               for name, span in by_name.items() if span.parent}  # fmt: skip
    assert parents == {
        "accept": "POST",
        "drain": "POST",
        "claim": "drain",
        "record": "drain",
        "send": "accept",
        "receipt": "accept",
    }
    assert {span.name for span in spans if span.message_id == str(message_id)} == {"accept", "send", "receipt"}
    assert by_name["send"].attributes == {
        "recado.message_id": str(message_id),
        "recado.channel": "whatsapp_cloud",
        "recado.attempt": 1,
        "recado.outcome": "sent",
        "http.response.status_code": 200,
    }
    assert by_name["receipt"].attributes["recado.status"] == "delivered"
    for secret in (b"a word nobody", ANA.encode(), ANA[1:].encode(), b"token"):
        assert secret not in collector.bodies


def test_batch_is_linked_to_the_traces_of_what_it_carries(desk: Desk, collector: Collector) -> None:
    ids = [desk.accept(f"text {n}", to=f"+55119123456{n:02}")[0] for n in range(tracing.MOST_LINKS + 3)]
    traces = {str(trace_of(message_id))[3:35] for message_id in ids}
    assert len(traces) == len(ids)  # nobody above them, so each its own
    drain_rung_by(desk)
    spans = told(collector)
    (carrier,) = collector.named("drain")
    assert carrier.trace_id not in traces
    assert len(carrier.links) == tracing.MOST_LINKS
    assert carrier.links < traces
    sent = [span for span in spans if span.name == "send"]
    assert {span.trace_id for span in sent} == traces
    assert {span.links for span in sent} == {frozenset({carrier.trace_id})}
    assert carrier.attributes["recado.claimed"] == len(ids)


def test_many_of_one_request_have_traces_of_their_own(desk: Desk, collector: Collector) -> None:
    with tracing.root("POST") as request:
        few = desk.accept(*(["text"] * MOST_TOGETHER))
        many = desk.accept(*(["text"] * (MOST_TOGETHER + 1)))
    assert request is not None
    assert {str(trace_of(message_id))[3:35] for message_id in few} == {request.trace_id}
    own = {str(trace_of(message_id))[3:35] for message_id in many}
    assert len(own) == len(many)
    told(collector)
    begun = [span for span in collector.named("accept") if span.trace_id in own]
    assert {span.message_id for span in begun} == {str(message_id) for message_id in many}
    assert {span.links for span in begun} == {frozenset({request.trace_id})}


def test_what_is_not_sampled_leaves_nothing(desk: Desk, collector: Collector, settings: Settings) -> None:
    settings.TRACES_SAMPLE_RATIO = 0.0
    with tracing.root("POST") as request:
        assert request is None
        ids = desk.accept("one") + desk.accept(*(["text"] * (MOST_TOGETHER + 1)))
    drain_rung_by(desk)
    publish_batch()
    assert desk.status(ids[0]) == "sent"
    assert not Message.across_organizations.filter(trace__isnull=False).exists()
    assert told(collector) == []


def test_request_that_is_not_sampled_decides_for_its_messages(
    desk: Desk, collector: Collector, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRACES_SAMPLE_RATIO = 0.0
    with tracing.root("POST"):
        settings.TRACES_SAMPLE_RATIO = 1.0
        (message_id,) = desk.accept("one")
    assert trace_of(message_id) is None
    assert told(collector) == []


def test_failed_attempt_says_how_and_not_what(desk: Desk, collector: Collector, provider: Any) -> None:
    provider.break_with({"kind": "server_error"})
    desk.accept("one")
    drain_rung_by(desk)
    told(collector)
    send = collector.named("send")[0]
    assert send.is_error
    assert send.attributes["error.type"] == "transient"
    assert send.attributes["http.response.status_code"] == 500
    assert send.attributes["recado.outcome"] == "retrying"


def test_stream_carries_the_trace_and_clients_do_not_see_it(desk: Desk, collector: Collector) -> None:
    (message_id,) = desk.accept("one")
    collector.wait_for(lambda: publish_batch().published)
    entries: Any = redis_client().xrange(stream_of(desk.organization.id))
    entry_id, fields = entries[0]
    assert orjson.loads(fields[b"events"])[0]["traceparent"] == trace_of(message_id)
    batch = batch_of(entry_id, fields)
    assert batch.traces == {0: trace_of(message_id)}
    assert "traceparent" not in batch.events[0]
    told(collector)
    (publish,) = collector.named("publish")
    assert publish.trace_id == str(trace_of(message_id))[3:35]  # of one message, so in its trace


def test_another_way_and_another_try_are_in_its_trace_too(desk: Desk, collector: Collector, provider: Any) -> None:
    provider.break_with({"kind": "blocked", "to": ANA.removeprefix("+")})
    desk.accept("one", fallback=(Step(account_id=desk.account.id, to=BIA),))
    desk.accept("two")
    desk.drain()
    replay(desk.organization, [DeadLetter.across_organizations.get().id])
    events, waiting = MessageEvent.across_organizations, Delivery.across_organizations
    assert {"fell_back", "replayed"} <= set(events.values_list("kind", flat=True))
    assert events.filter(trace=F("message__trace")).count() == events.count()
    assert waiting.filter(trace=F("message__trace")).count() == waiting.count() > 0
