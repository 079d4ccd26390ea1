"""The gRPC server: `python -m project.grpc_server`. What it speaks is in proto/recado/v1/recado.proto.

It speaks in plain text unless it is given a certificate, so beyond loopback it belongs behind whatever ends TLS.
"""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import django
import structlog

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings.production")
django.setup(set_prefix=False)

import grpc  # noqa: E402 - Django must be set up first
from django.db import Error as DatabaseError  # noqa: E402
from django.db import connection  # noqa: E402
from grpc_health.v1 import health  # noqa: E402
from grpc_health.v1.health_pb2 import HealthCheckResponse  # noqa: E402
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server  # noqa: E402
from grpc_reflection.v1alpha import reflection  # noqa: E402
from rest_framework.exceptions import APIException  # noqa: E402

from apps.core import tracing  # noqa: E402
from apps.core.asgi.django_threads import Threads  # noqa: E402
from apps.core.metrics.process import tell_certificate  # noqa: E402
from apps.core.pulse import Pulse  # noqa: E402
from apps.core.redis import RedisError, redis_client  # noqa: E402
from apps.core.side_door import add_page, open_or_exit  # noqa: E402
from apps.messaging.grpc import Messages  # noqa: E402
from apps.realtime.grpc.events import Events  # noqa: E402
from apps.realtime.grpc.generated import recado_pb2  # noqa: E402
from apps.realtime.grpc.generated.recado_pb2_grpc import (  # noqa: E402
    add_EventsServicer_to_server,
    add_MessagesServicer_to_server,
)
from apps.realtime.hub import close_hub  # noqa: E402

EVENTS, MESSAGES = (recado_pb2.DESCRIPTOR.services_by_name[name].full_name for name in ("Events", "Messages"))
MOST_WAITING = 256
# Short calls and probes that may be under way beside the streams.
MOST_CALLS = 1_000
DRAIN_SECONDS = 3.0
CHECK_SECONDS = 2.0
START_CHECK_SECONDS = 0.2

OPTIONS = [
    # As long as a body of REST may be; what goes out is ours.
    ("grpc.max_receive_message_length", 2 * 1024 * 1024),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.max_concurrent_streams", 200),  # a connection
    # Find out about clients that have gone, and let them find out about us.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 9_000),
    # Two servers on one port would share its clients, and nobody would know with whom they speak.
    ("grpc.so_reuseport", 0),
]

logger = structlog.get_logger(__name__)


def main() -> int:
    options = _options()
    tracing.begin("grpc")
    return asyncio.run(serve(options))


async def serve(options: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)

    threads = Threads(options.threads, MOST_WAITING)
    events = Events(threads, options.most_streams)
    # Nothing is known to work until it was tried.
    health_of = health.aio.HealthServicer()
    for service in (health.OVERALL_HEALTH, EVENTS, MESSAGES):
        await health_of.set(service, HealthCheckResponse.NOT_SERVING)

    server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=options.most_streams + MOST_CALLS)
    add_EventsServicer_to_server(events, server)
    add_MessagesServicer_to_server(Messages(threads), server)
    add_HealthServicer_to_server(health_of, server)
    reflection.enable_server_reflection((EVENTS, MESSAGES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    try:
        _listen(server, options)
    except (RuntimeError, OSError) as error:
        logger.critical("cannot_listen", host=options.host, port=options.port, reason=str(error))
        return 1
    pulse = Pulse()
    add_page("/healthz", pulse.page)
    open_or_exit()
    await server.start()
    beside = [asyncio.create_task(work) for work in (_check(health_of, threads), pulse.keep_beating())]
    logger.info("grpc_listens", host=options.host, port=options.port, is_encrypted=options.certificate is not None)

    await told_to_stop.wait()
    for each in beside:
        each.cancel()
    await health_of.enter_graceful_shutdown()
    events.drain()
    await server.stop(DRAIN_SECONDS)
    await close_hub()
    threads.close()
    logger.info("grpc_stopped")
    return 0


def _listen(server: grpc.aio.Server, options: argparse.Namespace) -> None:
    address = f"[{options.host}]:{options.port}" if ":" in options.host else f"{options.host}:{options.port}"
    if options.certificate is None:
        server.add_insecure_port(address)
    else:
        pair = (options.key.read_bytes(), options.certificate.read_bytes())
        server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        tell_certificate("grpc", options.certificate)


async def _check(health_of: health.aio.HealthServicer, threads: Threads) -> None:
    """Messages need the database; events need Redis as well. As over REST, a lost Redis alone stops nobody.

    Were it otherwise, one stopped Redis would take every server out of service, and no message would be accepted.
    """
    was_complete = False
    while True:
        database, redis = False, False
        with suppress(APIException):  # too busy to look: that is no sign of health
            database, redis = await threads.run(_look)
        if database and redis and not was_complete:
            was_complete = True
            logger.info("grpc_serves")
        for service, is_well in (
            (health.OVERALL_HEALTH, database and was_complete),
            (MESSAGES, database),
            (EVENTS, database and redis),
        ):
            status = HealthCheckResponse.SERVING if is_well else HealthCheckResponse.NOT_SERVING
            await health_of.set(service, status)
        await asyncio.sleep(CHECK_SECONDS if was_complete else START_CHECK_SECONDS)


def _look() -> tuple[bool, bool]:
    """Whether the database answers, and whether Redis does."""
    database = redis = False
    with suppress(DatabaseError):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database = True
    with suppress(RedisError):
        redis_client().ping()
        redis = True
    return database, redis


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m project.grpc_server", description="Recado's gRPC server.")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    parser.add_argument("--port", type=int, default=50051, help="where to listen (50051)")
    parser.add_argument("--certificate", type=Path, help="a PEM file, with the chain: speak TLS")
    parser.add_argument("--key", type=Path, help="the certificate's private key, a PEM file")
    parser.add_argument("--threads", type=int, default=8, help="calls that may ask the database at once (8)")
    parser.add_argument("--most-streams", type=int, default=5_000, help="streams of events in this process (5000)")
    options = parser.parse_args()
    if (options.certificate is None) != (options.key is None):
        parser.error("--certificate and --key belong together")
    return options


if __name__ == "__main__":
    sys.exit(main())
