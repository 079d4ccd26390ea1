"""Contender (a): one Celery task for each message, tuned as far as it goes.

The same writes, the same events on a stream, the same call. Raw SQL on a connection of its own, one statement a
transition, prepared by the server; a kept connection to the provider; late acknowledgement, no results, no events.
It holds back nobody, keeps no order and knows no limit: what it is spared is Recado's to pay.
"""

import base64
import http.client
import os
import threading
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg
import redis
from celery import Celery

QUEUE = "one_task_each"
STREAM = "one_task_each:events"
_STAGED = "one_task_each.staged"

app = Celery(QUEUE, broker=os.environ["REDIS_URL"])
app.conf.update(
    task_default_queue=QUEUE,
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    result_backend=None,
    task_send_sent_event=False,
    worker_send_task_events=False,
    worker_prefetch_multiplier=int(os.environ.get("PREFETCH", "32")),
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600},
)


class _Tools(threading.local):
    """Each thread has its own, for as long as it lives; made after the fork, when first used."""

    def __init__(self) -> None:
        self.database = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=0)
        self.redis = redis.Redis.from_url(os.environ["REDIS_URL"])
        target = urlsplit(os.environ["WHATSAPP_CLOUD_URL"])
        self.provider = http.client.HTTPConnection(target.hostname or "", target.port, timeout=15)
        self.path = target.path


_tools: _Tools | None = None


def tools() -> _Tools:
    global _tools  # noqa: PLW0603 - once a process
    if _tools is None:
        _tools = _Tools()
    return _tools


@app.task(name="one_task_each.send")
def send(message_id: str) -> None:
    mine = tools()
    row = mine.database.execute(_SENDING, [message_id]).fetchone()
    if row is None:
        return  # somebody else has it
    lease, address, text, *told = row
    _publish(mine, message_id, "sending", told)
    provider_id = _post(mine, message_id, address, text)
    row = mine.database.execute(_SENT, [message_id, lease, provider_id]).fetchone()
    if row is not None:
        _publish(mine, message_id, "sent", row)


def _post(mine: _Tools, message_id: str, address: str, text: str) -> str:
    body = orjson.dumps(
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": address.removeprefix("+"),
            "type": "text",
            "text": {"body": text},
            "biz_opaque_callback_data": message_id,
        }
    )
    headers = {"Authorization": "Bearer a-token-of-usual-length", "Content-Type": "application/json"}
    mine.provider.request("POST", f"{mine.path}/106540352242922/messages", body, headers)
    answer = mine.provider.getresponse()
    provider_id: str = orjson.loads(answer.read())["messages"][0]["id"]
    return provider_id


def _publish(mine: _Tools, message_id: str, kind: str, told: Sequence[Any]) -> None:
    organization, conversation, attempt, event, at = told
    entry = {
        "type": "status",
        "event_id": event,
        "message_id": message_id,
        "conversation_id": conversation,
        "organization_id": organization,
        "kind": kind,
        "status": kind,
        "attempt": attempt,
        "at": at,
    }
    mine.redis.xadd(STREAM, {"events": orjson.dumps([entry])}, maxlen=1_000_000, approximate=True)


def stage(message_ids: list[str]) -> None:
    """All the tasks into a queue that nobody consumes, copied from one that Celery made."""
    client = tools().redis
    send.apply_async(("copied",), queue=_STAGED)
    made = orjson.loads(client.lpop(_STAGED) or b"")  # type: ignore[arg-type]
    _args, kwargs, embedded = orjson.loads(base64.b64decode(made["body"]))
    pipeline = client.pipeline(transaction=False)
    for message_id in message_ids:
        task_id = str(uuid.UUID(bytes=os.urandom(16), version=4))
        made["body"] = base64.b64encode(orjson.dumps([[message_id], kwargs, embedded])).decode()
        made["headers"] |= {"id": task_id, "root_id": task_id, "argsrepr": f"['{message_id}']"}
        made["properties"] |= {"correlation_id": task_id, "delivery_tag": str(uuid.UUID(bytes=os.urandom(16)))}
        pipeline.lpush(_STAGED, orjson.dumps(made))
    pipeline.execute()


def release() -> None:
    """All of them at once, to workers that wait."""
    tools().redis.rename(_STAGED, QUEUE)


def accept(organization: Any, account: Any, conversation: Any, text: str) -> str:
    """What a web process does: insert, commit, delay."""
    message_id = str(uuid.UUID(bytes=os.urandom(16), version=4))
    tools().database.execute(
        _ACCEPT,
        {
            "id": message_id,
            "organization": organization,
            "account": account,
            "conversation": conversation,
            "text": text,
        },
    )
    send.delay(message_id)
    return message_id


_SENDING = """
WITH claimed AS (
    UPDATE delivery
       SET state = 'sending', lease = gen_random_uuid(), attempt = attempt + 1,
           due_at = now() + interval '60 seconds'
     WHERE message_id = %s AND state = 'waiting'
    RETURNING message_id, organization_id, conversation_id, lease, attempt
), moved AS (
    UPDATE message SET status = 'sending'
      FROM claimed
     WHERE message.id = claimed.message_id AND message.status = 'queued'
    RETURNING message.text
), noted AS (
    INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
    SELECT organization_id, message_id, conversation_id, 'sending', now(), attempt, '{}' FROM claimed
    RETURNING id, at
)
SELECT claimed.lease, conversation.address, moved.text, claimed.organization_id, claimed.conversation_id,
       claimed.attempt, noted.id, noted.at
  FROM claimed, moved, noted, conversation
 WHERE conversation.id = claimed.conversation_id
"""

_SENT = """
WITH ended AS (
    DELETE FROM delivery
     WHERE message_id = %s AND lease = %s
    RETURNING message_id, organization_id, conversation_id, attempt
), moved AS (
    UPDATE message SET status = 'sent', provider_id = %s
      FROM ended
     WHERE message.id = ended.message_id AND message.status IN ('queued', 'sending')
)
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
SELECT organization_id, message_id, conversation_id, 'sent', now(), attempt, '{}' FROM ended
RETURNING organization_id, conversation_id, attempt, id, at
"""

_ACCEPT = """
WITH written AS (
    INSERT INTO message (id, organization_id, account_id, conversation_id, status, text, priority, reference,
                         metadata, expires_at, error_class, error_code, error_detail, created_at)
    VALUES (%(id)s, %(organization)s, %(account)s, %(conversation)s, 'queued', %(text)s, 1, '',
            '{}', now() + interval '7 days', '', '', '', now())
), queued AS (
    INSERT INTO delivery (message_id, organization_id, account_id, conversation_id, is_head, state, priority,
                          due_at, expires_at, attempt)
    VALUES (%(id)s, %(organization)s, %(account)s, %(conversation)s, true, 'waiting', 1,
            now(), now() + interval '7 days', 0)
)
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
VALUES (%(organization)s, %(id)s, %(conversation)s, 'queued', now(), 0, '{}')
"""
