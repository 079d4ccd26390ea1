"""How long people wait for the pages of the admin, over ninety days of an installation that has much to show."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from django.conf import settings
from django.test import Client

from apps.accounts.models import User
from bench import desk, machine
from bench.archive import Archive, open_archive
from bench.desk import Page
from bench.figure import CannotMeasure, Figure
from bench.office import Office
from bench.stage import Stage
from bench.workers import web
from local.ports import HOST

MOST_MS, MOST_MS_OF_DASHBOARD = 500.0, 300.0
SLOWEST = 10
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Opened:
    who: str
    page: Page
    # Of those that were warm, in milliseconds.
    median: float
    worst: float


def measure(stage: Stage, office: Office) -> list[Figure]:
    # After one to warm up.
    times = stage.choose(3, 1)
    with open_archive(stage, office) as archive:
        stage.tell(f"{archive.sizes.messages:,} messages and what goes with them in {archive.seconds:.0f} s")
        started = time.monotonic()
        with web(stage, "project.asgi:application") as port:
            opened = [
                *_opened(port, archive, "administrator", archive.administrator, times),
                *_opened(port, archive, "superuser", archive.superuser, times),
            ]
        took = time.monotonic() - started
    stage.tell(
        f"{len(opened)} pages in {took:.0f} s; load {machine.load():.2f}; the slowest, in ms (median, worst):"
    )
    for each in sorted(opened, key=lambda one: one.median, reverse=True)[:SLOWEST]:
        stage.tell(f"  {each.median:7.0f} {each.worst:7.0f}  {each.who:<13}  {each.page.path}")
    count = f"{archive.sizes.messages:,}"
    return [
        _figure(f"admin's lists and pages over {count} messages, slowest median, ms", MOST_MS,
                [each for each in opened if not each.page.is_dashboard]),
        _figure(f"admin's dashboard over {count} messages, slowest median, ms", MOST_MS_OF_DASHBOARD,
                [each for each in opened if each.page.is_dashboard]),
    ]  # fmt: skip


def _figure(name: str, most: float, opened: list[Opened]) -> Figure:
    slowest = max(opened, key=lambda one: one.median)
    worst = max(opened, key=lambda one: one.worst)
    half = median(each.median for each in opened)
    return Figure(
        name,
        slowest.median,
        f"{slowest.median:.0f} ms",
        "",
        most=most,
        note=(
            f"{len(opened)} pages, opened several times: half of them within {half:.0f} ms, the slowest "
            f"`{slowest.page.path}` ({slowest.who}); the worst single answer when warm {worst.worst:.0f} ms"
        ),
    )


def _opened(port: int, archive: Archive, who: str, user: User, times: int) -> Iterator[Opened]:
    wanted = desk.pages(archive, user)
    with _browser(port, user) as browser:
        for page in wanted:
            browser.open(page.path)
            taken = [browser.open(page.path) for _ in range(times)]
            yield Opened(who, page, median(taken), max(taken))


class _Browser:
    def __init__(self, connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
        self._connection = connection
        self._headers = headers

    def open(self, path: str) -> float:
        """In how many milliseconds all of it was there."""
        started = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        taken = time.perf_counter() - started
        if answer.status != http.HTTPStatus.OK:
            raise CannotMeasure(f"{path} was answered with {answer.status}")
        return taken * 1000


@contextmanager
def _browser(port: int, user: User) -> Iterator[_Browser]:
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        yield _Browser(connection, {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"})
    finally:
        connection.close()
