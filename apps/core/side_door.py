"""Where a process answers Prometheus and probes, besides what it serves: `/metrics`, `/healthz`.

A thread of its own, so that it answers while the process is busy. On a network of the installation's own: nobody
is asked who they are.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from django.conf import settings
from django.db import connections

logger = structlog.get_logger(__name__)

# How long a caller may take to say what they want.
PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"


Pages = Mapping[str, Callable[[], Page]]

_ONE_EACH = "Give each process on a machine an INTERNAL_ADDRESS of its own, or none."

# Of this process, for whoever opens its door.
_pages: dict[str, Callable[[], Page]] = {}


def add_page(path: str, show: Callable[[], Page]) -> None:
    """Also while the door is open. `show` runs in a thread of the door's, and closes what it opens there."""
    _pages[path] = show


def open_or_exit() -> ThreadingHTTPServer | None:
    """With all pages that were and will be added. A process that nobody can look at does not run."""
    try:
        return open_side_door(_pages)
    except OSError as error:
        logger.critical(
            "side_door_not_opened", address=settings.INTERNAL_ADDRESS, reason=str(error), hint=_ONE_EACH
        )
        raise SystemExit(1) from error


def open_side_door(pages: Pages) -> ThreadingHTTPServer | None:
    """None where none is wanted. Raises OSError where the address is taken."""
    if settings.INTERNAL_ADDRESS is None:
        return None
    server = ThreadingHTTPServer(settings.INTERNAL_ADDRESS, _answering(pages))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="side-door", daemon=True).start()
    return server


def _answering(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        timeout = PATIENCE_SECONDS

        def do_GET(self) -> None:
            page = self._page()
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def _page(self) -> Page:
            show = pages.get(self.path.partition("?")[0])
            if show is None:
                return Page(f"Here are {', '.join(pages)}.\n".encode(), status=404)
            try:
                return show()
            except Exception:
                logger.exception("side_door_failed", path=self.path)
                return Page(b"This failed. The log says why.\n", status=500)
            finally:
                # Of this thread, which ends with the answer.
                connections.close_all()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server calls it
            """Probes come every few seconds."""

    return Answer
