"""SMTP to servers that tenants chose.

A connection goes to public addresses only, whatever its name or its DNS try: the name is looked up once, every
address that it has is judged, and one of those very addresses is connected to.

smtplib waits for each answer, so it works in threads, and each thread has a connection to itself while it sends a
mail. A server may be slow or spiteful: at the deadline of a call its connection is cut, which ends any waiting.
"""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from django.core.mail import EmailMessage

from apps.channels.smtp_line import HungUp, Line, Server, unreachable
from apps.core.addresses import Network, TargetRefused, why_refused

# For how long a connection is kept for the next mail.
IDLE_SECONDS = 4.0
_THREADS = 12
_CONNECT_SECONDS = 5.0
# Longer than any call; for a thread that nobody is left to cut the connection of.
_SILENCE_SECONDS = 60.0
_MOST_ADDRESSES = 4


class SmtpClient:
    """The connections of a process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="smtp")
        self._lock = threading.Lock()
        self._idle: list[Line] = []
        self._sweep: threading.Timer | None = None

    async def send(
        self, server: Server, message: EmailMessage, allowed: Sequence[Network], seconds: float
    ) -> None:
        """Raises Refusal, TargetRefused, Transient, AccountRejected or OutcomeUnknown."""

        def work(call: _Call) -> None:
            kept = self._take_idle(server)
            if kept is not None:
                with suppress(HungUp):  # while it was idle, most likely
                    self._send_over(kept, message, call)
                    return
            self._send_over(_connect(server, allowed, call), message, call)

        await self._in_thread(work, seconds)

    async def check(self, server: Server, allowed: Sequence[Network], seconds: float) -> None:
        """All but a mail. Raises what `send` raises."""

        def work(call: _Call) -> None:
            line = _connect(server, allowed, call)
            try:
                call.use(line)
                line.open()
                line.ask_whether_it_listens()
            finally:
                line.hang_up()

        await self._in_thread(work, seconds)

    async def _in_thread(self, work: "Callable[[_Call], None]", seconds: float) -> None:
        call = _Call(seconds)
        worked = asyncio.wrap_future(self._threads.submit(work, call))
        try:
            await asyncio.wait([worked], timeout=seconds)
        finally:
            is_about_to_end = worked.done() or call.end()
        if not is_about_to_end:
            # A name that is slow to resolve keeps its thread, which will find that nobody waits any more.
            worked.cancel()
            raise unreachable("timed out")
        await worked

    def _send_over(self, line: Line, message: EmailMessage, call: "_Call") -> None:
        try:
            call.use(line)
            line.open()
            line.send(message)
        finally:
            self._keep(line)

    def _take_idle(self, server: Server) -> Line | None:
        with self._lock:
            line = next((line for line in reversed(self._idle) if line.server == server), None)
            if line is not None:
                self._idle.remove(line)
        return line

    def _keep(self, line: Line) -> None:
        if not line.is_open:
            line.hang_up()
            return
        line.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(line)
            if self._sweep is None:
                self._sweep_later()

    def _sweep_later(self) -> None:
        # A timer of its own: between two drains the event loop of a worker stands still.
        self._sweep = threading.Timer(IDLE_SECONDS, self._hang_up_idle)
        self._sweep.daemon = True
        self._sweep.start()

    def _hang_up_idle(self) -> None:
        oldest = time.monotonic() - IDLE_SECONDS
        with self._lock:
            over = [line for line in self._idle if line.idle_since <= oldest]
            self._idle = [line for line in self._idle if line.idle_since > oldest]
            self._sweep = None
            if self._idle:
                self._sweep_later()
        for line in over:
            line.hang_up()


class _Call:
    """What a thread does and somebody waits for, until a deadline."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._line: Line | None = None
        self._is_over = False

    def seconds_left(self) -> float:
        left = self._ends_at - time.monotonic()
        if self._is_over or left <= 0:
            raise unreachable("timed out")
        return left

    def use(self, line: Line) -> None:
        # First named, then asked whether it is too late; `end` does it the other way round. One sees the other.
        self._line = line
        self.seconds_left()

    def end(self) -> bool:
        """Whether there was a connection to cut, so that the thread is about to say what came of it."""
        self._is_over = True
        if self._line is None:
            return False
        self._line.cut()
        return True


def _connect(server: Server, allowed: Sequence[Network], call: _Call) -> Line:
    problem = "the name does not resolve"
    for family, at in _addresses(server, allowed)[:_MOST_ADDRESSES]:
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(min(call.seconds_left(), _CONNECT_SECONDS))
            connected.connect(at)
            connected.settimeout(_SILENCE_SECONDS)
            return Line(server, connected)
        except OSError as error:
            connected.close()
            problem = f"no connection ({errno.errorcode.get(error.errno or 0, 'timed out')})"
    raise unreachable(problem)


def _addresses(server: Server, allowed: Sequence[Network]) -> list[tuple[int, tuple[str | int | bytes, ...]]]:
    """One forbidden address condemns the name, even among good ones."""
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unreachable("the name does not resolve") from error
    for *_, at in found:
        if reason := why_refused(str(at[0]), allowed):
            # Not which: a stranger shall not read our internal DNS through us.
            raise TargetRefused(f"the server's name leads to {reason}")
    return [(family, at) for family, *_, at in found]
