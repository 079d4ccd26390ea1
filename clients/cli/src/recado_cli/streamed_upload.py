"""A file as one form, through the server."""

import uuid
from collections.abc import Iterator
from typing import Any

from recado_cli.api import Api
from recado_cli.exchange import exchange
from recado_cli.local_file import LocalFile
from recado_cli.progress import Progress
from recado_cli.repeating import repeat
from recado_cli.rest import problem_of, read_json

# As browsers do: what would end the name, or its line, too early.
_ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}


def upload_streamed(api: Api, file: LocalFile, progress: Progress) -> Any:
    """What the server made of it. However often it takes: the key makes sure that it is kept once."""
    boundary = uuid.uuid4().hex
    return repeat(lambda: api.call(lambda authorization: _send(api, authorization, file, progress, boundary)))


def _send(api: Api, authorization: str, file: LocalFile, progress: Progress, boundary: str) -> Any:
    head, end = _around(file.name, boundary)
    headers = {
        "Authorization": authorization,
        "Accept": "application/json",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + file.size + len(end)),
        "Idempotency-Key": boundary,
    }
    with exchange("POST", api.url("/v1/files"), headers, _body(head, file, progress, end)) as answer:
        said = answer.read()
        if answer.status >= 300:
            raise problem_of(answer.status, said, answer.headers.get("Retry-After"))
        return read_json(said)


def _around(name: str, boundary: str) -> tuple[bytes, bytes]:
    for mark, instead in _ESCAPES.items():
        name = name.replace(mark, instead)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


def _body(head: bytes, file: LocalFile, progress: Progress, end: bytes) -> Iterator[bytes]:
    done = 0
    yield head
    for chunk in file.read(0, file.size):
        yield chunk
        done += len(chunk)
        progress.tell(done)
        progress.show()
    yield end
