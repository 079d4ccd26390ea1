"""Two gigabytes through one web process, and past it, against the S3's own library in the same run."""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import orjson
import psutil

import celery_app
from bench import uploader
from bench.figure import CannotMeasure, Figure, percentile
from bench.load import Client
from bench.office import Office, address
from bench.stage import Stage
from bench.workers import Layout, running, web_process
from local.ports import HOST, free_port
from local.processes import Process
from local.rclone import RcloneServer

_MEGABYTE = 1024**2
# Of requests besides: one each tenth of a second and a half more.
ASKED_A_SECOND = 15
IDLE_SECONDS = 20.0
AT_ONCE = 4
WORKER = Layout("files", ["--pool solo --queues files,dispatch.whatsapp_cloud"])
SENT_SECONDS = 30.0


def measure(stage: Stage, office: Office) -> list[Figure]:
    office.clear()
    size = stage.choose(2 * 1024**3 - _MEGABYTE, 256 * _MEGABYTE)
    large = _random_file(stage.folder / "two-gigabytes.bin", size)
    s3 = RcloneServer(stage.folder / "s3", free_port(), "a-secret-of-the-bench", stage.folder / "s3.log")
    s3.start()
    os.environ.update(s3.settings)
    try:
        with (
            web_process(stage, "project.asgi:application") as (port, process),
            running(stage, celery_app.app, "celery_app", WORKER),
        ):
            os.environ.update(BENCH_WEB=f"http://{HOST}:{port}", BENCH_KEY=office.api_key)
            return _measure(stage, office, _Servers(port, process, s3.process), large)
    finally:
        s3.stop()
        large.path.unlink()


@dataclass(frozen=True, slots=True)
class _Servers:
    port: int
    web: Process
    s3: Process


def _measure(stage: Stage, office: Office, servers: _Servers, large: "LargeFile") -> list[Figure]:
    path, digest = large.path, large.digest
    first = stage.folder / "first.bin"
    first.write_bytes(b"x")
    _upload("streamed", first)  # loads what the first upload loads
    idle = asyncio.run(_ask_for(servers.port, IDLE_SECONDS))
    seconds: dict[str, list[float]] = {"boto3": [], "streamed": [], "direct": []}
    grown = 0.0
    for turn in range(stage.choose(3, 2)):
        # There and back, so that each comes after each: what went before can be felt for seconds.
        for way in list(seconds)[:: -1 if turn % 2 else 1]:
            os.sync()
            with _growth(servers.web) as growth:
                told = _upload(way, path)
            seconds[way].append(told["seconds"])
            stage.tell(
                f"{way}: {told['seconds']:.1f} s"
                + (f", all parts there after {told['arrived']:.1f} s" if way == "direct" else "")
            )
            if way != "boto3":
                grown = max(grown, growth[0])
                _came_down_again(told, digest, _sent_link(office, told["id"]) if way == "streamed" else "")
    bare, through, past = (min(each) for each in seconds.values())
    _give_way(servers.s3.pid)
    os.sync()
    with _growth(servers.web) as growth, _uploading(path) as uploads:
        busy = asyncio.run(_ask_for(servers.port, None, uploads))
    return [
        Figure("web memory during a 2 GB upload", grown, f"+{grown:.0f} MB", "before it", most=64,
               note="at its highest, in megabytes; part buffers included"),
        Figure(f"web memory during {AT_ONCE} of them at once", growth[0], f"+{growth[0]:.0f} MB", "before them",
               most=160),
        Figure("2 GB through POST /v1/files vs boto3.upload_fileobj", bare / through,
               _speed(path, through), _speed(path, bare), least=0.6,
               note="the fastest of each; hashed and answered"),
        Figure("2 GB by a direct upload vs the same", bare / past, _speed(path, past),
               _speed(path, bare), least=0.9, note="until it is ready: read once more and checked"),
        Figure(f"other requests, p99 while {AT_ONCE} uploads run vs idle",
               percentile(busy, 99) / percentile(idle, 99), f"{percentile(busy, 99):.1f} ms",
               f"{percentile(idle, 99):.1f} ms", most=3,
               note=f"GET /v1/me, {len(busy):,} of them; p50 {percentile(busy, 50):.1f} vs "
                    f"{percentile(idle, 50):.1f} ms; S3 and clients on the same two cores, behind the server"),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LargeFile:
    path: Path
    digest: str


def _random_file(path: Path, size: int) -> LargeFile:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // _MEGABYTE):
            block = os.urandom(_MEGABYTE)
            digest.update(block)
            file.write(block)
    return LargeFile(path, digest.hexdigest())


def _command(way: str, path: Path) -> list[str]:
    return [sys.executable, "-m", "bench.uploader", way, str(path)]


def _upload(way: str, path: Path) -> dict[str, Any]:
    ran = subprocess.run(_command(way, path), check=False, capture_output=True, text=True, timeout=300)
    if ran.returncode:
        raise CannotMeasure(f"the {way} upload failed: {ran.stderr[-500:]}")
    told: dict[str, Any] = orjson.loads(ran.stdout)
    return told


def _give_way(pid: int | None) -> None:
    """Elsewhere it would be another machine: here it takes what the server leaves of the cores.

    Linux shares the cores among sessions first, so the niceness of a session is what counts.
    """
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("19")


@contextmanager
def _uploading(path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    uploads = [
        subprocess.Popen(_command("streamed", path), stdout=subprocess.DEVNULL, start_new_session=True)
        for _ in range(AT_ONCE)
    ]
    try:
        for upload in uploads:
            _give_way(upload.pid)
        yield uploads
        if failed := [upload for upload in uploads if upload.wait(timeout=5)]:
            raise CannotMeasure(f"{len(failed)} of {AT_ONCE} uploads at once failed")
    finally:
        for upload in uploads:
            upload.kill()
            upload.wait()


@contextmanager
def _growth(process: Process) -> Iterator[list[float]]:
    """Of what the process has in memory, at its highest, in megabytes; known when the block ends."""
    assert process.pid is not None
    watched = psutil.Process(process.pid)
    before = watched.memory_info().rss
    highest = [before]
    is_over = Event()

    def watch() -> None:
        while not is_over.wait(0.05):
            highest[0] = max(highest[0], watched.memory_info().rss)

    watcher = Thread(target=watch)
    watcher.start()
    found: list[float] = []
    try:
        yield found
    finally:
        is_over.set()
        watcher.join()
        found.append((highest[0] - before) / _MEGABYTE)


async def _ask_for(
    port: int, seconds: float | None, uploads: list[subprocess.Popen[bytes]] | None = None
) -> list[float]:
    """Milliseconds of one request after another, asked on time however long the others take."""
    client = Client(port)
    request = (
        f"GET /v1/me HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Api-Key {os.environ['BENCH_KEY']}\r\n\r\n"
    ).encode()
    took: list[float] = []

    async def ask() -> None:
        started = time.monotonic()
        answer = await client.send(request)
        if answer.status != 200:
            raise CannotMeasure(f"the answer is {answer.status}: {answer.body[:200]!r}")
        took.append((time.monotonic() - started) * 1000)

    begins = time.monotonic()
    under_way = []
    for n in range(10_000):
        await asyncio.sleep(max(0.0, begins + n / ASKED_A_SECOND - time.monotonic()))
        if uploads is not None and any(upload.poll() is not None for upload in uploads):
            break  # only while all of them run
        if seconds is not None and time.monotonic() - begins > seconds:
            break
        under_way.append(asyncio.create_task(ask()))
    await asyncio.gather(*under_way)
    client.close()
    for upload in uploads or ():
        await asyncio.to_thread(upload.wait, 300)
    return took


def _came_down_again(told: dict[str, Any], digest: str, link: str = "") -> None:
    """By that link or a presigned one, with the checksum that it was sent with; and goes, to leave room."""
    if told["sha256"] != digest:
        raise CannotMeasure("the server found another checksum than the file has")
    own = f"/v1/files/{told['id']}"
    received = hashlib.sha256()
    url = link or uploader.call("GET", f"{own}/presigned", None, 200)["url"]
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own link
        while piece := answer.read(_MEGABYTE):
            received.update(piece)
    if received.hexdigest() != digest:
        raise CannotMeasure("what came down is not what went up")
    uploader.call("DELETE", own, None, 204)


def _sent_link(office: Office, file_id: str) -> str:
    """As a person finds it in their WhatsApp message."""
    wanted = {"account_id": str(office.account.id), "to": address(1), "media": {"file_id": file_id}}
    message = uploader.call("POST", "/v1/messages", wanted, 202)
    deadline = time.monotonic() + SENT_SECONDS
    while (now := uploader.call("GET", f"/v1/messages/{message['id']}", None, 200))["status"] in {
        "queued",
        "sending",
    }:
        if time.monotonic() > deadline:
            raise CannotMeasure(f"the message with the file is {now['status']}")
        time.sleep(0.1)
    # It names the public address, which the web process here does not have.
    return f"{os.environ['BENCH_WEB']}{urlsplit(now['text']).path}"


def _speed(path: Path, seconds: float) -> str:
    return f"{path.stat().st_size / seconds / 1e6:.0f} MB/s"
