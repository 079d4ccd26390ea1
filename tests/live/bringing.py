"""What tests of files in conversations bring, hold back and look for on the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload

from apps.core import clock
from apps.files.models import File
from apps.files.thumbnails import make_thumbnail
from apps.messaging.models import Conversation, Message
from tests.cast import House
from tests.files.pictures import picture
from tests.live.conftest import Enter, Visit
from tests.live.test_conversing import last_outbound
from tests.messaging.desk import ANA, Desk
from tests.messaging.test_incoming import said

MEGABYTE = 1024 * 1024
INPUT = "#composer-file-input"
CHIP = "#composer-chosen"
PENDING = "#messages .pending"
# Its links are not handed out before they are let go. (Held by the browser, megabytes would go through the test.)
HOLD_PARTS = """() => {
    const asked = window.fetch;
    window.waiting = [];
    window.fetch = async (url, request) => {
        if (/\\/v1\\/uploads\\/[^/]+\\/parts$/.test(url)) await new Promise((go) => waiting.push(go));
        return asked(url, request);
    };
}"""
CARD = "#messages .message:not(.pending) .file-card"


def open_conversation(enter: Enter, house: House, desk: Desk, **options: Any) -> Visit:
    """Ana's, in which one message stands."""
    desk.accept("Bom dia!")
    conversation = Conversation.across_organizations.get(address=ANA)
    visit = enter(house.owner, place=f"#/c/{conversation.id}", **options)
    visit.wait_for_ticks("queued")
    visit.is_connected()
    return visit


def image(content: bytes = b"") -> FilePayload:
    return {"name": "sonho.png", "mimeType": "image/png", "buffer": content or picture(size=(640, 480))}


def note(name: str = "nota.txt") -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": b"Dois sonhos"}


def just_sent(wamid: str) -> dict[str, Any]:
    return said("", wamid, at=int(clock.now().timestamp()))


def wait_until(visit: Visit, is_so: Callable[[], object]) -> None:
    for _ in range(1500):
        if is_so():
            return
        visit.page.wait_for_timeout(20)
    raise AssertionError("it never came to be so")


class Gathered:
    """What comes of a page, in its order: requests that are held, tabs that it opens, downloads."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._things: list[Any] = []

    def take(self, thing: Any) -> None:
        self._things.append(thing)

    def next(self) -> Any:
        wait_until(self._visit, lambda: self._things)
        return self._visit.elsewhere.wrap(self._things.pop(0))


def held(visit: Visit, pattern: str) -> Gathered:
    """Requests that do not leave before they are let go."""
    routes = Gathered(visit)
    visit.elsewhere.run(visit.page.route, pattern, routes.take)
    return routes


def noted(visit: Visit, event: str) -> Gathered:
    things = Gathered(visit)
    visit.elsewhere.run(visit.page.on, event, things.take)
    return things


def saved(download: Any) -> tuple[str, bytes]:
    return download.suggested_filename, Path(download.path()).read_bytes()


def make_thumbnails() -> None:
    for file in File.across_organizations.filter(thumbnail="wanted"):
        make_thumbnail(file.id)


def size_of_all(visit: Visit) -> list[int]:
    found: list[int] = visit.page.evaluate(
        "['#messages', '.picture'].flatMap((each) => [document.querySelector(each).offsetWidth,"
        " document.querySelector(each).offsetHeight])"
    )
    return found


def sent_file() -> tuple[Message, File]:
    message = last_outbound()
    return message, File.across_organizations.get(pk=message.content["media"]["file_id"])
