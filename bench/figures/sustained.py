"""A thousand messages a second for a minute: accepted over HTTP, dispatched, reported as delivered and as read.

All of it at once on this machine, provider stub and load included.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, islice
from typing import Any

import orjson
import uvloop
from django.conf import settings
from django.db import connection
from redis.asyncio import Redis as AsyncRedis

import celery_app
from apps.realtime.stream import stream_of
from bench import streams
from bench.figure import CannotMeasure, Figure, percentile
from bench.layouts import DISPATCH, EVENTS
from bench.load import Answer, Client, post
from bench.office import PHONE_NUMBER_ID, TEXT, Office, address
from bench.stage import APP_SECRET, Stage
from bench.workers import Layout, running, web

WANTED = 1_000
# A little more, so that a hiccup of the clock is not a failure.
OFFERED = 1_050
BATCH = 100
PEOPLE = 20_000
RECEIPTS_AT_ONCE = 100
# From "delivered" to "read".
READ_AFTER = 0.5
# Receipts wait so long for others to come with.
LONGEST_PAUSE_MS = 50
# A message that was not read on the stream so long after it was accepted was not kept up with.
IN_TIME = 5.0


@dataclass
class Load:
    """What applications and the provider send: batches at even intervals, and receipts for what was sent.

    That a message was sent is learned from the stream, as any client learns it: a receipt before it would settle
    the message and spare its dispatch.
    """

    client: Client
    office: Office
    batches: Iterator[bytes]
    accepted: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    # By the message. Taken down as they come: the stream keeps only so much.
    read_at: dict[str, float] = field(default_factory=dict)
    _reports: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, seconds: float) -> None:
        interval = BATCH / OFFERED
        following = asyncio.create_task(self._follow())
        begins = asyncio.get_running_loop().time()
        under_way = []
        for n in range(int(seconds / interval)):
            await asyncio.sleep(begins + n * interval - asyncio.get_running_loop().time())
            under_way.append(asyncio.create_task(self._accept(next(self.batches))))
        await asyncio.gather(*under_way)
        # Who is not reported by then was not kept up with.
        await asyncio.sleep(IN_TIME)
        following.cancel()
        await asyncio.gather(*self._reports)

    async def _accept(self, request: bytes) -> None:
        started = time.monotonic()
        answer = await self.client.send(request)
        self.slowest = max(self.slowest, time.monotonic() - started)
        if self._is_good(answer):
            self.accepted += len(orjson.loads(answer.body)["accepted"])

    async def _follow(self) -> None:
        stream = stream_of(self.office.organization.id)
        last: Any = "0"
        sent: list[str] = []
        async with AsyncRedis.from_url(settings.REDIS_URL) as client:
            while True:
                found: Any = await client.xread({stream: last}, block=LONGEST_PAUSE_MS, count=50)
                for entry_id, fields in found[0][1] if found else ():
                    last = entry_id
                    events = orjson.loads(fields[b"events"])
                    sent += [event["message_id"] for event in events if event["kind"] == "sent"]
                    read = (event["message_id"] for event in events if event["kind"] == "read")
                    self.read_at |= dict.fromkeys(read, streams.moment(entry_id))
                while len(sent) >= RECEIPTS_AT_ONCE or (sent and not found):
                    report = asyncio.create_task(self._report(sent[:RECEIPTS_AT_ONCE]))
                    self._reports.add(report)
                    report.add_done_callback(self._reports.discard)
                    del sent[:RECEIPTS_AT_ONCE]

    async def _report(self, ids: list[str]) -> None:
        self._is_good(await self.client.send(_callback(ids, "delivered")))
        await asyncio.sleep(READ_AFTER)
        self._is_good(await self.client.send(_callback(ids, "read")))

    def _is_good(self, answer: Answer) -> bool:
        if 200 <= answer.status < 300:
            return True
        self.failures.append(f"{answer.status}: {answer.body[:200]!r}")
        return False


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    office.meet(PEOPLE)
    seconds = stage.choose(60.0, 20.0)
    layout = Layout("sustained", [DISPATCH, EVENTS])
    with web(stage, "project.asgi:application") as port, running(stage, celery_app.app, "celery_app", layout):
        client = Client(port)
        load = Load(client, office, _batches(office))
        cpu, started = time.process_time(), time.monotonic()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(load.run(seconds))
            client.close()
        share = (time.process_time() - cpu) / (time.monotonic() - started)
        if load.failures:
            raise CannotMeasure(f"{len(load.failures)} requests failed, the first with {load.failures[0]}")
        backlog = load.accepted - _count_read()
    lags = _lags(load.read_at)
    in_time = sum(lag <= IN_TIME for lag in lags)
    p95 = f"{percentile(lags, 95):.2f} s" if len(lags) > 1 else "unknown"
    return [
        Figure(
            f"sustained for {seconds:.0f} s, messages/s",
            in_time / seconds,
            f"{in_time / seconds:,.0f}/s",
            f"{load.accepted / seconds:,.0f}/s accepted",
            least=WANTED,
            note=(
                f"accepted, sent, delivered, and read on the stream within {IN_TIME:.0f} s; p95 {p95}, of which "
                f"{READ_AFTER} s are the reader's; {backlog:,} not read {IN_TIME:.0f} s after the end; "
                f"slowest batch {load.slowest:.2f} s; the load took {share:.0%} of a core"
            ),
        )
    ]


def _batches(office: Office) -> Iterator[bytes]:
    people = cycle(range(1, PEOPLE + 1))
    headers = f"Authorization: Api-Key {office.api_key}\r\n"
    requests = []
    for _ in range(PEOPLE // BATCH):
        messages = [
            {"account_id": office.account.id, "to": address(n), "text": TEXT, "reference": f"order-{n}"}
            for n in islice(people, BATCH)
        ]
        requests.append(post("/v1/messages/batch", orjson.dumps({"messages": messages}), headers))
    return cycle(requests)


def _callback(ids: Sequence[str], status: str) -> bytes:
    timestamp = str(int(time.time()))
    statuses = [
        {
            "id": f"wamid.{message_id}",
            "status": status,
            "timestamp": timestamp,
            "recipient_id": "5511900000001",
            "biz_opaque_callback_data": message_id,
        }
        for message_id in ids
    ]
    metadata = {"display_phone_number": "551130000000", "phone_number_id": PHONE_NUMBER_ID}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": statuses}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return post("/v1/hooks/whatsapp_cloud", body, f"X-Hub-Signature-256: sha256={signature}\r\n")


def _count_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM message WHERE status = 'read'")
        (count,) = cursor.fetchone()
    return int(count)


def _lags(read_at: Mapping[str, float]) -> list[float]:
    """From acceptance to the event "read" on the stream, by the clocks of the servers, which are one clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id::text, created_at FROM message")
        accepted: dict[str, datetime] = dict(cursor.fetchall())
    return [at - accepted[message_id].timestamp() for message_id, at in read_at.items()]
