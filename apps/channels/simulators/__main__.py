"""`python -m apps.channels.simulators`: the simulated providers as a program of their own.

It has no log-in and needs none, because it listens on this machine only; whoever gives --host another address
opens it, and its control API, to whoever reaches that address.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from urllib.parse import urlsplit

from apps.channels.simulators.app import Settings, serve
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, parse_faults
from apps.channels.simulators.fields import LONGEST_SECONDS, BadField

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    settings = Settings(
        callback_url=given.callback_url,
        app_secret=given.app_secret,
        delays=Delays(given.latency, given.sent_after, given.delivered_after, given.read_after),
        group_seconds=given.group_ms / 1000,
        retry_seconds=given.retry_for,
        most_logged=given.most_logged,
        faults=given.faults,
        smtp_port=given.smtp_port,
    )
    try:
        asyncio.run(_run(settings, given.host, given.port), loop_factory=_loop_factory())
    except OSError as problem:
        logger.error("cannot listen on %s:%d: %s", given.host, given.port, problem.strerror or problem)  # noqa: TRY400
        return 1
    return 0


async def _run(settings: Settings, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(settings, host, port) as url:
        if not _is_loopback(host):
            logger.warning("%s can be reached from other machines, and nobody has to log in", host)
        logger.info("Simulated providers on %s, calling back to %s", url, settings.callback_url)
        await stop.wait()


def _parser() -> argparse.ArgumentParser:
    delays = Delays()
    parser = argparse.ArgumentParser(prog="python -m apps.channels.simulators", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=8090, help="0 is any that is free")
    parser.add_argument("--smtp-port", type=_port, help="takes mails there; needs aiosmtpd")
    parser.add_argument("--callback-url", type=_url, required=True, help="statuses go to /<connector> below it")
    parser.add_argument("--app-secret", required=True, help="signs the callbacks")
    parser.add_argument("--latency", type=_seconds, default=delays.latency, help="seconds before an answer")
    parser.add_argument("--sent-after", type=_seconds, default=delays.sent_after)
    parser.add_argument("--delivered-after", type=_seconds, default=delays.delivered_after)
    parser.add_argument("--read-after", type=_seconds, default=delays.read_after)
    parser.add_argument("--group-ms", type=_milliseconds, default=50, help="how long statuses are collected")
    parser.add_argument("--retry-for", type=_seconds, default=120, help="seconds that a callback comes again")
    parser.add_argument("--faults", type=_faults, default=(), help="from the start, as /control/faults takes them")
    parser.add_argument("--most-logged", type=_count, default=2_000_000, help="messages that the tally remembers")
    return parser


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed, which is wherever requirements/production.txt is."""
    return import_module("uvloop").new_event_loop if find_spec("uvloop") else None


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _port(text: str) -> int:
    return int(_number(text, 0, 65535))


def _seconds(text: str) -> float:
    return _number(text, 0, LONGEST_SECONDS)


def _milliseconds(text: str) -> float:
    return _number(text, 1, 10_000)


def _count(text: str) -> int:
    return int(_number(text, 1, 1e9))


def _faults(text: str) -> list[Fault]:
    try:
        return parse_faults(json.loads(text))
    except (ValueError, BadField) as bad:
        raise argparse.ArgumentTypeError(str(bad)) from None


def _number(text: str, least: float, most: float) -> float:
    number = float(text)  # argparse tells the user what a ValueError means
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is not from {least:g} to {most:g}")
    return number


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text} is not an http or https URL")
    return text


if __name__ == "__main__":
    sys.exit(main())
