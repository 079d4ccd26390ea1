"""One request whose body, or answer, may be of any length: it is streamed, and never held as a whole."""

import http.client
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from recado_cli.failures import Failed
from recado_cli.rest import AGENT, unreachable

CHUNK_BYTES = 256 * 1024
# Without a byte going either way.
SECONDS = 120


@contextmanager
def exchange(
    method: str, url: str, headers: Mapping[str, str], body: Iterable[bytes] | None = None
) -> Iterator[http.client.HTTPResponse]:
    """No redirect is followed. Whatever breaks on the way is Unreachable, named by its host: links are secrets."""
    connection, target = _connect(url)
    try:
        # Who refuses may answer and stop reading while we still send.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, target, body, {"User-Agent": AGENT, **headers})
        yield connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(_origin(url), error) from error
    finally:
        connection.close()


def _connect(url: str) -> tuple[http.client.HTTPConnection, str]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Failed("The server gave a link that is none.")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=SECONDS, context=context), target
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS), target


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
