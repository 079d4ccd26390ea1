"""Two S3s with different habits, and a proxy in front of them that fails as it is told."""

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from local.ports import HOST, free_port, is_listening
from local.processes import Process
from local.rclone import ACCESS_KEY, BUCKET, RcloneServer

SECRET = "a-secret-of-tests"


@dataclass(frozen=True)
class S3:
    url: str

    @property
    def settings(self) -> dict[str, str]:
        """As a process is told of it."""
        return {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": self.url,
            "S3_ACCESS_KEY": ACCESS_KEY,
            "S3_SECRET_KEY": SECRET,
        }

    @property
    def options(self) -> dict[str, Any]:
        """As Django's STORAGES are told of it."""
        return {
            "bucket_name": BUCKET,
            "endpoint_url": self.url,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET,
            "region_name": "us-east-1",
            "addressing_style": "path",
        }

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )

    def objects(self) -> list[str]:
        found = self.client().list_objects_v2(Bucket=BUCKET)
        return [each["Key"] for each in found.get("Contents", ())]

    def unfinished(self) -> list[str]:
        found = self.client().list_multipart_uploads(Bucket=BUCKET)
        return [each["Key"] for each in found.get("Uploads", ())]


def start_rclone(folder: Path) -> tuple[S3, Callable[[], None]]:
    server = RcloneServer(folder / "rclone", free_port(), SECRET, folder / "rclone.log")
    server.start()
    return S3(server.url), server.stop


def start_moto(folder: Path) -> tuple[S3, Callable[[], None]]:
    port = free_port()
    command: list[str | Path] = [Path(sys.executable).with_name("moto_server"), "-H", HOST, "-p", str(port)]
    process = Process("moto", command, folder / "moto.log")
    process.start()
    process.wait_until(lambda: is_listening(port))
    s3 = S3(f"http://{HOST}:{port}")
    s3.client().create_bucket(Bucket=BUCKET)
    return s3, process.stop


@dataclass
class Unreliable:
    """Passes connections on, unless `fails` says otherwise of the request that begins one."""

    to: str
    fails: Callable[[bytes], bytes | None] = field(default=lambda _head: None)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self._listening = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        host, port = self.to.removeprefix("http://").split(":")
        with suppress(OSError), client, socket.create_connection((host, int(port))) as server:
            threading.Thread(target=_pass_on, args=[server, client, lambda _head: None], daemon=True).start()
            _pass_on(client, server, self._failure_of)

    def _failure_of(self, head: bytes) -> bytes | None:
        """Asked for each request, for connections outlive tests."""
        return self.fails(head)


def _pass_on(one: socket.socket, other: socket.socket, fails: Callable[[bytes], bytes | None]) -> None:
    with suppress(OSError):
        while data := one.recv(256 * 1024):
            if data[:4] in {b"PUT ", b"POST", b"GET ", b"DELE"} and (answer := fails(data)) is not None:
                one.sendall(answer)
                one.shutdown(socket.SHUT_RDWR)
                break
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
