"""The server of WebSockets, its bare rival, and a client, each as a process. Needs Django."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson

from apps.accounts import sessions
from apps.accounts.models import Membership, User
from apps.accounts.roles import Role
from apps.core.redis import redis_client
from apps.realtime import stream
from bench.figure import CannotMeasure
from bench.office import Office
from bench.stage import Stage
from local.ports import HOST, free_port, is_listening
from local.processes import Process

READY_SECONDS = 30
BARE_FRAMES = ['"hello"']


class Viewer:
    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running

    def seen(self) -> list[tuple[str, float]]:
        """Since it was last asked: frames and when they came."""
        assert self._running.stdin is not None
        assert self._running.stdout is not None
        self._running.stdin.write("\n")
        self._running.stdin.flush()
        return [(frame, moment) for frame, moment in orjson.loads(self._running.stdout.readline())]


@contextmanager
def web(stage: Stage) -> Iterator[Process]:
    """One process of ours; its port is its last argument."""
    with _served(stage, "web", "project.web", "--drain", "0", "--port") as process:
        yield process


@contextmanager
def bare(stage: Stage) -> Iterator[Process]:
    with _served(stage, "bare", "bench.bare_broadcast", os.environ["REDIS_URL"]) as process:
        yield process


def port_of(process: Process) -> int:
    return int(str(process.command[-1]))


def whole_organization(office: Office) -> list[str]:
    """The first frames of somebody who watches everything."""
    return [orjson.dumps(frame).decode() for frame in first_frames(token_of(office))]


def token_of(office: Office) -> str:
    user, _ = User.objects.get_or_create(email="viewer@bench.example")
    member, _ = Membership.across_organizations.get_or_create(
        organization=office.organization, user=user, defaults={"role": Role.VIEWER}
    )
    return sessions.open_session(member).access


@contextmanager
def viewer(url: str, first_frames: list[str]) -> Iterator[Viewer]:
    command = [sys.executable, "-m", "bench.viewer", url, *first_frames]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        if running.stdout.readline() != "ready\n":
            raise CannotMeasure("the viewer could not connect")
        try:
            yield Viewer(running)
        finally:
            running.kill()


class Crowd:
    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running

    def count(self) -> dict[str, int]:
        """Frames with an event that all of them have seen, and how many clients are in."""
        counted: dict[str, int] = self._ask("count")
        return counted

    def told(self) -> list[dict[str, Any]]:
        """Of each client."""
        told: list[dict[str, Any]] = self._ask("all")
        return told

    def wait_for_frames(self, count: int, seconds: float) -> int:
        """How many there are; fewer when it takes too long."""
        deadline = time.monotonic() + seconds
        while (seen := self.count()["frames"]) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return seen

    def _ask(self, question: str) -> Any:
        assert self._running.stdin is not None
        assert self._running.stdout is not None
        self._running.stdin.write(f"{question}\n")
        self._running.stdin.flush()
        return orjson.loads(self._running.stdout.readline())


@contextmanager
def crowd(port: int, clients: list[list[Any]], *, comes_back: bool = False) -> Iterator[Crowd]:
    """All of them are in when the block begins."""
    plan = {"host": HOST, "port": port, "clients": clients, "comes_back": comes_back}
    command = [sys.executable, "-m", "bench.crowd"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        running.stdin.write(f"{orjson.dumps(plan).decode()}\n")
        running.stdin.flush()
        if running.stdout.readline() != "ready\n":
            raise CannotMeasure("the crowd could not connect")
        try:
            yield Crowd(running)
        finally:
            running.kill()


def first_frames(token: str, conversation_id: object = None) -> list[dict[str, Any]]:
    """Of a client that watches this conversation, or everything."""
    what = {"scope": "organization"} if conversation_id is None else {"conversation_id": str(conversation_id)}
    return [{"action": "authenticate", "token": token}, {"action": "subscribe", **what}]


class Tape:
    """Events put onto the stream, as publishers do, without the messages that they are about."""

    def __init__(self, office: Office) -> None:
        self._organization_id = office.organization.id
        self._number = 0

    def play(self, conversations: Sequence[UUID]) -> list[int]:
        """One event for each, in one entry. Their ids."""
        start = self._number
        entries = [self._entry(conversation_id) for conversation_id in conversations]
        if not stream.append(redis_client(), f"1/{start}", entries):
            raise CannotMeasure("somebody else publishes")
        return [entry.event["event_id"] for entry in entries]

    def _entry(self, conversation_id: UUID) -> stream.Entry:
        self._number += 1
        event = {
            "type": "status", "event_id": self._number, "message_id": _SOME_ID, "conversation_id": conversation_id,
            "organization_id": self._organization_id, "kind": "sent", "status": "sent", "attempt": 1,
            "at": "2026-01-01T12:00:00.123456+00:00",
        }  # fmt: skip
        return stream.Entry(self._organization_id, f"1/{self._number}", event)


_SOME_ID = "019f0000-0000-7000-8000-000000000000"


@contextmanager
def _served(stage: Stage, name: str, module: str, *arguments: str) -> Iterator[Process]:
    port = free_port()
    command = [sys.executable, "-m", module, *arguments, str(port)]
    process = Process(name, command, stage.folder / f"{name}.log", env=os.environ)
    process.start()
    try:
        process.wait_until(lambda: is_listening(port), READY_SECONDS)
        yield process
    finally:
        process.stop()


def address(process: Process) -> str:
    return f"ws://{HOST}:{port_of(process)}/ws/status"
