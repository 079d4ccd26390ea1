"""The gRPC server as a process of its own, over this worker's database; and a client of it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import grpc
from django.conf import settings
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from local.ports import HOST, free_port
from local.processes import Process

# `python -m project.grpc_server`, in which a client that does not read is too slow after two seconds.
_RUN = """
import sys
from project.grpc_server import main
from apps.realtime import line
line.STALLED_SECONDS = 2.0
sys.exit(main())
"""
LOOPBACK = [("grpc.enable_http_proxy", 0)]


@dataclass
class GrpcServer:
    process: Process
    port: int

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        with grpc.insecure_channel(self.address, LOOPBACK) as channel:
            yield channel

    def start(self) -> None:
        self.process.start()
        self.process.wait_until(lambda: self.health() == HealthCheckResponse.SERVING)

    def stop(self) -> None:
        self.process.stop()

    def health(self, service: str = "") -> int | None:
        with self.channel() as channel:
            stub: Any = HealthStub(channel)
            try:
                return int(stub.Check(HealthCheckRequest(service=service), timeout=2).status)
            except grpc.RpcError:
                return None


@contextmanager
def run_grpc_server(folder: Path, *arguments: str, **environment: str) -> Iterator[GrpcServer]:
    server = grpc_server(folder, *arguments, **environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def grpc_server(folder: Path, *arguments: str, **environment: str) -> GrpcServer:
    port = free_port()
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings.DATABASES['default']['NAME']}")
    around = os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings.dev",
        "DEBUG": "false",
        "DATABASE_URL": urlunsplit(database),
        "API_RATE_PER_SECOND": "10000",
        "API_BURST": "10000",
        "PYTHONUNBUFFERED": "1",
        **environment,
    }
    command = [sys.executable, "-c", _RUN, "--host", HOST, "--port", str(port), *arguments]
    return GrpcServer(Process("grpc", command, folder / "grpc.log", env=around), port)
