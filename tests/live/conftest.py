"""A real browser that is logged in, beside the engine that the test drives by hand."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from apps.accounts.models import Membership
from apps.messaging.engine.publish import publish_batch
from apps.messaging.models import EventCursor
from local.browser_tools import chromium
from tests.live.elsewhere import Elsewhere, chromium_elsewhere
from tests.messaging.callbacks import hand_over, work_on_callbacks
from tests.messaging.conftest import _running_provider, account, desk, loop, provider  # noqa: F401 - fixtures
from tests.messaging.desk import Desk
from tests.messaging.test_receipts import status, whatsapp_callback
from tests.server import Server

DESKTOP = {"width": 1600, "height": 1000}
SECONDS = 10
PHONE = {"width": 390, "height": 844}
# What a browser itself says of a network that a test takes away, and of answers that refuse something.
EXPECTED = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED", "the server responded with a status of 4")


@dataclass
class Rooms:
    """Contexts of one browser. The common one keeps what it loaded for the next test, and nothing else."""

    elsewhere: Elsewhere
    browser: Browser
    common: BrowserContext

    @staticmethod
    def new(browser: Browser, **options: Any) -> BrowserContext:
        context = browser.new_context(**({"viewport": DESKTOP, "locale": "en-GB"} | options))
        context.set_default_timeout(SECONDS * 1000)
        return context


@pytest.fixture(scope="session")
def _rooms() -> Iterator[Rooms]:
    with chromium_elsewhere(chromium()) as (elsewhere, browser):
        yield Rooms(elsewhere, browser, Rooms.new(browser))


@dataclass
class Visit:
    """Somebody at the live page."""

    page: Page
    context: BrowserContext
    elsewhere: Elsewhere
    complaints: list[str] = field(default_factory=list)

    def find(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def see(self, selector: str, *, text: str | None = None, seconds: float = SECONDS) -> Locator:
        """Waits until it is there to be seen."""
        found = self.page.locator(selector, has_text=text) if text else self.page.locator(selector)
        found.first.wait_for(timeout=seconds * 1000)
        return found

    def until(self, condition: str) -> None:
        """Until this JavaScript is true. (Playwright's own way would be stopped by the page's policy.)"""
        deadline = time.monotonic() + SECONDS
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"still not so: {condition}"
            self.page.wait_for_timeout(20)

    def open(self, conversation_id: object) -> None:
        self.page.evaluate("id => { location.hash = `/c/${id}` }", str(conversation_id))
        self.see("#thread-open")

    def ticks(self) -> list[str]:
        found: list[str] = self.page.eval_on_selector_all(
            "#messages .bubble .tick", "all => all.map(each => each.dataset.status)"
        )
        return found

    def wait_for_ticks(self, *wanted: str) -> None:
        self.until(
            "[...document.querySelectorAll('#messages .bubble .tick')].map(each => each.dataset.status).join()"
            f" === '{','.join(wanted)}'"
        )

    def write(self, text: str) -> None:
        self.page.fill("#composer-text", text)
        self.page.press("#composer-text", "Enter")

    def is_connected(self) -> None:
        self.see(".state[data-mood=good]")


type Enter = Callable[..., Visit]


@pytest.fixture
def enter(server: Server, _rooms: Rooms) -> Iterator[Enter]:
    """Opens the page as somebody; afterwards nothing must have gone wrong in any of them."""
    visits: list[Visit] = []

    def enter(member: Membership | None, *, place: str = "", before: Any = None, **options: Any) -> Visit:
        context = _rooms.new(_rooms.browser, **options) if options or before else _rooms.common
        if member is not None:
            client = Client()
            client.force_login(member.user)
            key = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": key, "url": server.url}])
        visit = Visit(context.new_page(), context, _rooms.elsewhere)
        visits.append(visit)
        visit.page.on("console", lambda message: _note(visit, message))
        visit.page.on("pageerror", lambda error: visit.complaints.append(f"thrown: {error}"))
        if before is not None:
            before(visit)
        visit.page.goto(f"{server.url}/live/{place}")
        return visit

    yield enter
    for visit in visits:
        if visit.page.url.startswith(server.url):
            visit.page.evaluate("localStorage.clear()")
        visit.page.close()
        if visit.context is not _rooms.common:
            visit.context.close()
    _rooms.common.clear_cookies()
    assert [each for visit in visits for each in visit.complaints] == []


def _note(visit: Visit, message: Any) -> None:
    text = message.text
    # Violations of the page's policy are errors on the console too.
    if message.type in {"error", "warning"} and not any(known in text for known in EXPECTED):
        visit.complaints.append(f"{message.type}: {text} {urlsplit(message.location.get('url', '')).path}")


@pytest.fixture(autouse=True)
def _cursor(request: pytest.FixtureRequest) -> None:
    """The migration made the row; the truncation after another test took it away."""
    if "server" in request.fixturenames:
        request.getfixturevalue("transactional_db")
        EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})


@pytest.fixture
def publish() -> Callable[[], None]:
    """What the test itself wrote; the web process publishes its own."""

    def publish() -> None:
        while publish_batch().is_more:
            pass

    return publish


@dataclass
class Provider:
    """Moves messages on, as workers and the provider would."""

    desk: Desk
    publish: Callable[[], None]

    def send(self) -> None:
        self.desk.drain()
        self.publish()

    def receipt(self, message_id: UUID, *words: str) -> None:
        self.call("whatsapp_cloud", whatsapp_callback(*(status(word, message_id) for word in words)))

    def call(self, connector: str, body: bytes) -> None:
        hand_over(connector, body)
        assert work_on_callbacks() == 1
        self.publish()


@pytest.fixture
def engine(desk: Desk, publish: Callable[[], None]) -> Provider:  # noqa: F811 - the fixture
    return Provider(desk, publish)
