"""A multipart body, taken apart as it comes from the socket. The first part named `file` is the file."""

from collections.abc import AsyncIterator, Iterator

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from apps.core.asgi import Receive

FIELD = "file"
MOST_FIELDS = 16
LONGEST_HEADER_BYTES = 8 * 1024
# All that is not the file itself: other fields, headers, boundaries.
MOST_BESIDES = 64 * 1024


class BadBody(Exception):
    """What is wrong with it, in a word for programs and a sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class ClientGone(Exception):
    """It hung up before all of it was here."""


def boundary_of(content_type: str) -> bytes | None:
    """None where this is no form with files."""
    kind, _, rest = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        return None
    for option in rest.split(";"):
        name, _, value = option.strip().partition("=")
        if name.lower() == "boundary":
            value = value.strip().strip('"')
            return value.encode() if 0 < len(value) <= 70 and value.isascii() and value.isprintable() else None
    return None


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        if body := message.get("body"):
            yield body
        if not message.get("more_body", False):
            return


class FileReader:
    """Fed with chunks of the body, hands out the bytes of the file. Its name is known before its first byte."""

    def __init__(self, boundary: bytes) -> None:
        self._parser = PushMultipartParser(
            boundary, max_segment_count=MOST_FIELDS, max_header_size=LONGEST_HEADER_BYTES
        )
        self._in_file = False
        self._besides = 0
        self.name: str | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes | bytearray]:
        """Raises BadBody."""
        try:
            for event in self._parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif not event:
                    self._in_file = False
                elif self._in_file:
                    yield event
                else:
                    self._count(len(event))
        except MultipartError as error:
            raise BadBody("malformed_body", f"The body is no multipart/form-data: {error}.") from error

    def end(self) -> None:
        """After the last chunk. Raises BadBody where something is missing."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise BadBody("malformed_body", "The body ends before its last boundary. Send all of it.") from error
        if self.name is None:
            raise BadBody("file_missing", f"There is no part named {FIELD!r}, with a filename, in the body.")

    def _begin(self, segment: MultipartSegment) -> None:
        self._count(sum(len(name) + len(value) for name, value in segment.headerlist) + 128)
        self._in_file = segment.name == FIELD and segment.filename is not None
        if self._in_file:
            if self.name is not None:
                raise BadBody("several_files", "One request carries one file. Send the others by themselves.")
            self.name = _as_typed(segment.filename or "")

    def _count(self, length: int) -> None:
        self._besides += length
        if self._besides > MOST_BESIDES:
            raise BadBody("too_much_besides", "Besides the file the body holds too much. Send the file alone.")


def _as_typed(name: str) -> str:
    """Browsers write these three so; a name that holds them by itself cannot be told from it."""
    for escape, mark in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        name = name.replace(escape, mark)
    return name
