"""Upload a file, and print what the server made of it. It is streamed: a large one needs no more memory."""

import argparse
import http.client
import json
import mimetypes
import os
import ssl
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from recado_cli.commands import session_of
from recado_cli.failures import BadUsage, Exit, Failed
from recado_cli.rest import AGENT, problem_of, read_json, unreachable
from recado_cli.session import Session

EXAMPLES = """\
example:
  recado upload invoice.pdf
"""
CHUNK_BYTES = 256 * 1024
SECONDS = 120
BAR = 30
# As browsers do: what would end the name, or its line, too early.
_ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--type", help="its media type; guessed from its name otherwise")


def run(options: argparse.Namespace) -> int:
    try:
        with options.file.open("rb") as file:
            answer = _upload(session_of(options), file, options)
    except OSError as error:
        raise BadUsage(f"{options.file} cannot be read: {error.strerror}.") from error
    print(json.dumps(answer, ensure_ascii=False))
    return Exit.OK


def _upload(session: Session, file: BinaryIO, options: argparse.Namespace) -> Any:
    size = os.fstat(file.fileno()).st_size
    boundary = uuid.uuid4().hex
    kind = options.type or mimetypes.guess_type(options.file.name)[0] or "application/octet-stream"
    name = options.file.name
    for mark, instead in _ESCAPES.items():
        name = name.replace(mark, instead)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode(errors="replace")  # a name may be no text at all
    end = f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Authorization": session.authorization(),
        "User-Agent": AGENT,
        "Accept": "application/json",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + size + len(end)),
        "Idempotency-Key": boundary,
    }
    connection = _connect(session)
    try:
        # A server that refuses may answer and stop reading while we still send.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", _path(session), _parts(head, file, size, end), headers)
        return _answer(connection.getresponse())
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(session.addresses.url, error) from error
    finally:
        connection.close()


def _parts(head: bytes, file: BinaryIO, size: int, end: bytes) -> Iterator[bytes]:
    progress = _Progress(size)
    yield head
    left = size
    while left:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise Failed("The file became shorter while it was read. Upload it again.")
        left -= len(chunk)
        yield chunk
        progress.show(size - left)
    yield end
    progress.finish()


def _answer(answer: http.client.HTTPResponse) -> Any:
    said = answer.read()
    if answer.status == 404:
        raise Failed("This server takes no files yet: they come with a later release of Recado.")
    if answer.status == 413:
        raise Failed("The server does not take a file of this size.")
    if answer.status >= 300:
        raise problem_of(answer.status, said, answer.headers.get("Retry-After"))
    return read_json(said)


def _connect(session: Session) -> http.client.HTTPConnection:
    parts = urlsplit(session.addresses.url)
    assert parts.hostname
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=SECONDS, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)


def _path(session: Session) -> str:
    return f"{urlsplit(session.addresses.url).path}/v1/files"


class _Progress:
    """A bar, for a person at a terminal."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._is_seen = sys.stderr.isatty()

    def show(self, done: int) -> None:
        if self._is_seen:
            share = done / self._size
            bar = "#" * round(share * BAR)
            told = f"{share:4.0%}  {_in_words(done)} of {_in_words(self._size)}"
            print(f"\r  {bar:<{BAR}}  {told}  ", end="", file=sys.stderr, flush=True)

    def finish(self) -> None:
        if self._is_seen:
            print(file=sys.stderr)


def _in_words(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
