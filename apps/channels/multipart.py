"""A form with a file in it (RFC 7578), written while the file is read."""

import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import orjson

from apps.channels.connector import OutboundFile
from apps.channels.http_connector import Request
from apps.core.guarded_http import StreamedBody

# A name could otherwise end its header, or begin another.
_IN_A_NAME = str.maketrans('"\r\n', "'  ")


def upload(url: str, fields: Mapping[str, object], name: str, file: OutboundFile) -> Request:
    """The file comes last, under this name. What is no text is written as JSON."""
    boundary = secrets.token_hex(16)
    before = "".join(
        f"{_head(boundary, each)}\r\n{value if isinstance(value, str) else orjson.dumps(value).decode()}\r\n"
        for each, value in fields.items()
    )
    before += f"{_head(boundary, name, file.name)}Content-Type: {file.media_type}\r\n\r\n"
    body = _around(before.encode(), file, f"\r\n--{boundary}--\r\n".encode())
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Request(url, headers, b"", upload=body, upload_seconds=file.seconds)


def _head(boundary: str, name: str, file_name: str = "") -> str:
    named = f'; filename="{file_name.translate(_IN_A_NAME)}"' if file_name else ""
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'


def _around(before: bytes, file: OutboundFile, after: bytes) -> StreamedBody:
    async def pieces() -> AsyncGenerator[bytes]:
        yield before
        async with aclosing(file.pieces()) as of_file:
            async for piece in of_file:
                yield piece
        yield after

    return StreamedBody(len(before) + file.size + len(after), pieces)
