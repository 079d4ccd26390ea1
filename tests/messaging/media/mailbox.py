"""What comes in with a file, and the work on it as workers do it: whatever was rung for, and nothing else."""

import itertools
import secrets
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db.models import F

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.redis import redis_client
from apps.files import uploads
from apps.files.models import File
from apps.files.stores import store
from apps.files.uploads import VERIFY
from apps.files.verify import verify
from apps.messaging.engine import fetch_media
from apps.messaging.engine.loop import Loop
from apps.messaging.engine.store import Stored
from apps.messaging.models import MediaFetch, Message, MessageEvent
from tests.cast import House
from tests.files.pictures import picture
from tests.messaging.callbacks import hand_over, work_on_callbacks

QUEUE = "files"
_numbers = itertools.count(1)


def rung() -> list[tuple[str, UUID]]:
    """Tasks that wait for a worker, taken off their queue: what each is called and what it is about."""
    waiting = []
    while task := redis_client().rpop(QUEUE):
        assert isinstance(task, bytes)
        message = orjson.loads(task)
        (subject,), _named, _more = orjson.loads(b64decode(message["body"]))
        waiting.append((message["headers"]["task"], UUID(subject)))
    return waiting


def fetch(loop: Loop, message_id: UUID) -> None:
    loop.run(lambda own: fetch_media.fetch(own, message_id))


def work(loop: Loop) -> list[str]:
    """Until nobody rings any more; what was done."""
    done = []
    while tasks := rung():
        for name, subject in tasks:
            if name == fetch_media.TASK:
                fetch(loop, subject)
            elif name == VERIFY:
                verify(subject)
            done.append(name)
    return done


class Killed(BaseException):
    """Of a worker."""


@contextmanager
def killed_after(calls: int) -> Iterator[None]:
    """A worker dies once it has renewed its lease so often: for each part before it is in the store, and after."""
    renewed = uploads.hear_of
    left = iter(range(calls))

    def hear_of(*args: Any) -> bool:
        if next(left, None) is None:
            raise Killed
        return renewed(*args)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(uploads, "hear_of", hear_of)
        with pytest.raises(Killed):
            yield


def noise(size: int) -> bytes:
    """A picture that goes on for so many bytes."""
    start = picture()
    return start + secrets.token_bytes(size - len(start))


@dataclass
class Mailbox:
    house: House
    account: ChannelAccount
    loop: Loop

    def send(self, url: str, text: str = "", kind: str = "image") -> Message:
        """Somebody sends what lies there."""
        mid = f"mid.{next(_numbers)}"
        assert hand_over("instagram", told(self.account.provider_account, mid, url, text, kind)) is Stored.YES
        work_on_callbacks()
        return Message.across_organizations.get(account=self.account, provider_id=mid)

    def work(self) -> list[str]:
        return work(self.loop)

    def fetch(self, message: Message) -> None:
        """A worker that was rung for it, now or a second time."""
        fetch(self.loop, message.id)

    def let_pass(self, seconds: float) -> None:
        """Everything that is for some time is for so much sooner."""
        passed = timedelta(seconds=seconds)
        MediaFetch.across_organizations.update(free_at=F("free_at") - passed, due_at=F("due_at") - passed)


def told(account: str, mid: str, url: str, text: str = "", kind: str = "image") -> bytes:
    attachment = {"type": kind, "payload": {"url": url}}
    said = {"mid": mid, "attachments": [attachment]} | ({"text": text} if text else {})
    event = {
        "sender": {"id": "17840000000001"},
        "recipient": {"id": account},
        "timestamp": int(clock.now().timestamp() * 1000),
        "message": said,
    }
    return orjson.dumps({"object": "instagram", "entry": [{"id": account, "messaging": [event]}]})


def fetch_of(message: Message) -> MediaFetch:
    return MediaFetch.across_organizations.get(pk=message.id)


def media_in(message: Message) -> dict[str, Any]:
    """As the conversation shows it now."""
    message.refresh_from_db()
    media: dict[str, Any] = message.content["media"]
    return media


def file_of(message: Message) -> File:
    return File.across_organizations.get(pk=media_in(message)["file_id"])


def content_of(file: File) -> bytes:
    return b"".join(store().read(file.key))


def story(message: Message) -> list[tuple[str, Any]]:
    events = MessageEvent.across_organizations.filter(message=message).order_by("id")
    return list(events.values_list("kind", "detail"))
