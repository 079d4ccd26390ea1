"""One part of a file, straight to the storage: by a signed link, again where it broke, and hashed on its way."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from recado_cli.api import Api
from recado_cli.exchange import exchange
from recado_cli.failures import Exit, Failed, UploadEnded
from recado_cli.local_file import LocalFile
from recado_cli.progress import Progress
from recado_cli.repeating import repeat
from recado_cli.rest import status_may_pass

# In which an S3 says what is wrong; some say with it, and a 400, that a connection was too slow.
_CODE = re.compile(rb"<Code>(\w{1,60})</Code>")
_SLOW = "RequestTimeout"
MOST_READ = 16 * 1024


class StorageRefused(Failed):
    def __init__(self, number: int, status: int, code: str) -> None:
        super().__init__(f"The storage does not take part {number} ({f'{status} {code}'.strip()}).")
        self.status = status
        self.may_pass = status_may_pass(status) or code == _SLOW
        if self.may_pass:
            self.exit_code = Exit.UNREACHABLE


class Parts:
    def __init__(self, api: Api, file: LocalFile, upload: Mapping[str, Any], progress: Progress) -> None:
        self._api = api
        self._file = file
        self._progress = progress
        self._path = f"/v1/uploads/{upload['id']}/parts"
        self._part_size = int(upload["part_size"])

    def size_of(self, number: int) -> int:
        """Of an empty file, its one part is empty."""
        return min(self._part_size, self._file.size - (number - 1) * self._part_size)

    def digest(self, number: int) -> bytes:
        """Of a part that arrived before."""
        whole = hashlib.sha256()
        for chunk in self._chunks(number):
            whole.update(chunk)
        return whole.digest()

    def send(self, number: int) -> bytes:
        """Its SHA-256. Each try has a link of its own: one that expired is refused, and so is replaced once."""
        refusals = 0

        def once() -> bytes:
            nonlocal refusals
            try:
                return self._put(number)
            except StorageRefused as refused:
                if refused.status == 403:
                    refusals += 1
                    refused.may_pass = refusals == 1
                raise

        return repeat(once)

    def _put(self, number: int) -> bytes:
        (link,) = self._api.post(self._path, {"numbers": [number]})["data"]
        whole = hashlib.sha256()
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(self.size_of(number))}
        with exchange("PUT", link["url"], headers, self._hashed(number, whole)) as answer:
            said = answer.read(MOST_READ)
            if answer.status == 404:
                raise UploadEnded("The storage knows this upload no more. Upload the file again.")
            if not 200 <= answer.status < 300:
                code = _CODE.search(said)
                raise StorageRefused(number, answer.status, code[1].decode() if code else "")
        return whole.digest()

    def _hashed(self, number: int, whole: "hashlib._Hash") -> Iterator[bytes]:
        done = 0
        self._progress.tell(done, number)
        for chunk in self._chunks(number):
            whole.update(chunk)
            yield chunk
            done += len(chunk)
            self._progress.tell(done, number)

    def _chunks(self, number: int) -> Iterator[bytes]:
        return self._file.read((number - 1) * self._part_size, self.size_of(number))
