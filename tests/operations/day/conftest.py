"""An operator at the admin in a real browser, with workers and beat at work, and providers behind them."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Locator

from apps.accounts.models import User
from apps.messaging.models import EventCursor
from celery_app import QUEUES
from local.processes import Process
from tests.live.conftest import Rooms, Visit, _note, _rooms  # noqa: F401 - a fixture
from tests.messaging.conftest import _running_provider, provider  # noqa: F401 - fixtures
from tests.messaging.provider import Provider
from tests.server import Server, environment_of, run_server

# Wide enough for the side bar to be seen.
SIZE = {"width": 1440, "height": 900}
CELERY = (sys.executable, "-m", "celery", "--app", "celery_app")


@dataclass
class Installation:
    server: Server
    # Of its workers and its beat.
    environment: dict[str, str]


@pytest.fixture(scope="session")
def installation(
    django_db_setup: None,
    _running_provider: Provider,  # noqa: F811 - the fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    changed = {
        "WHATSAPP_CLOUD_URL": f"{_running_provider.url}/whatsapp/v23.0",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        # Of two children, one is left for what must not wait behind a drain.
        "DRAINS_PER_ACCOUNT": "1",
    }
    with run_server(folder, **changed) as server:
        yield Installation(server, environment_of(folder, server.url, **changed))


@pytest.fixture(autouse=True)
def _cursor(transactional_db: None) -> None:
    """The migration made the row; the truncation after another test took it away."""
    EventCursor.objects.update_or_create(pk=1, defaults={"transaction": "0", "event_id": 0})


@dataclass
class Workers:
    worker: Process
    beat: Process

    def times_done(self, task: str) -> int:
        lines = self.worker.log.read_text().splitlines()
        return sum(f"Task {task}[" in line and "succeeded" in line for line in lines)


@pytest.fixture
def workers(installation: Installation, tmp_path: Path, transactional_db: None) -> Iterator[Workers]:
    """For this test only: they would take the tasks of the next one."""
    queues = ",".join(QUEUES)
    # Its schedule is that of the code; nobody changes it in the database.
    schedule = ("--scheduler", "celery.beat:PersistentScheduler", "--schedule", tmp_path / "schedule")
    commands: dict[str, list[str | Path]] = {
        "worker": [*CELERY, "worker", "--concurrency", "2", "--loglevel", "info", "--queues", queues],
        "beat": [*CELERY, "beat", "--pidfile=", "--loglevel", "info", *schedule],
    }
    with ExitStack() as running:
        started = [
            Process(name, command, tmp_path / f"{name}.log", env=installation.environment)
            for name, command in commands.items()
        ]
        for process in started:
            running.callback(process.stop)
            process.start()
        both = Workers(*started)
        both.worker.wait_until(lambda: both.worker.has_written(" ready."), 60)
        yield both


@dataclass
class Operator(Visit):
    """Somebody at the admin."""

    def says(self, words: str, seconds: float = 10) -> Locator:
        """Waits until these words are to be seen, without a look at where."""
        found = self.page.get_by_text(words).first
        found.wait_for(timeout=seconds * 1000)
        return found

    def follow(self, name: str, within: str = "body") -> None:
        self.page.locator(within).get_by_role("link", name=name, exact=True).first.click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()


type SitDown = Callable[..., Operator]


@pytest.fixture
def sit_down(installation: Installation, _rooms: Rooms, transactional_db: None) -> Iterator[SitDown]:  # noqa: F811 - the fixture
    """Opens the admin as somebody; afterwards nothing must have gone wrong on any page, as its policy sees it."""
    operators: list[Operator] = []

    def sit_down(user: User, place: str = "/admin/", **options: Any) -> Operator:
        context = _rooms.new(_rooms.browser, **({"viewport": SIZE} | options))
        client = Client()
        client.force_login(user)
        key = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": key, "url": installation.server.url}])
        operator = Operator(context.new_page(), context, _rooms.elsewhere)
        operators.append(operator)
        operator.page.on("console", lambda message: _note(operator, message))
        operator.page.on("pageerror", lambda error: operator.complaints.append(f"thrown: {error}"))
        operator.page.goto(installation.server.url + place)
        return operator

    yield sit_down
    for operator in operators:
        operator.page.close()
        operator.context.close()
    assert [each for operator in operators for each in operator.complaints] == []


def wait_for(is_so: Callable[[], Any], seconds: float = 30) -> Any:
    """What comes of it, once something does."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.1)
    return found
