"""A file straight to the storage, in parts that several threads bring; it can be resumed where it broke off."""

import hashlib
import time
import uuid
from collections.abc import Collection
from typing import Any

from recado_cli.api import Api
from recado_cli.failures import BadUsage, Failed, TimedOut, UploadEnded
from recado_cli.local_file import FileChanged, LocalFile
from recado_cli.parts import Parts
from recado_cli.progress import Progress
from recado_cli.repeating import repeat
from recado_cli.rest import Problem
from recado_cli.threads import Shared

AT_ONCE = 4
# How often parts that the storage does not have after all are sent again.
ROUNDS = 3
# The server reads all of it once more.
CHECK_SECONDS = 1800.0
FIRST_LOOK_SECONDS = 0.25
LONGEST_LOOK_SECONDS = 3.0


class DirectUpload:
    def __init__(self, api: Api, file: LocalFile, upload: dict[str, Any], *, is_new: bool = False) -> None:
        """Of a new one nothing can be there."""
        self._api = api
        self._file = file
        self._upload = upload
        self._is_new = is_new
        self.id: str = upload["id"]

    @classmethod
    def begin(cls, api: Api, file: LocalFile) -> "DirectUpload":
        body = {"name": file.name, "size": file.size}
        key = str(uuid.uuid4())
        upload = repeat(lambda: api.post("/v1/uploads", body, **{"Idempotency-Key": key}))
        return cls(api, file, upload, is_new=True)

    @classmethod
    def resume(cls, api: Api, file: LocalFile, upload_id: str) -> "DirectUpload":
        upload = repeat(lambda: api.get(f"/v1/uploads/{upload_id}"))
        if upload["way"] != "direct":
            raise UploadEnded(
                "This upload went through the server, which cannot be resumed. Upload the file again."
            )
        if upload["size"] != file.size:
            raise BadUsage(
                f"{file.path} is another file: it has {file.size} bytes, and the upload is of"
                f" {upload['size']} ({upload['name']})."
            )
        return cls(api, file, upload)

    def run(self) -> Any:
        """What the server made of it."""
        is_coming = self._upload["state"] == "receiving"
        arrived = self._arrived() if is_coming else {}
        progress = Progress(self._file.size, sum(arrived.values()) if is_coming else self._file.size)
        try:
            if is_coming:
                self._bring(Parts(self._api, self._file, self._upload, progress), arrived, progress)
            return self._wait_until_checked(progress)
        except FileChanged as changed:
            self._api.post(f"/v1/uploads/{self.id}/abort")
            raise UploadEnded(str(changed)) from changed
        except Problem as problem:
            if problem.code != "upload_ended":
                raise
            raise UploadEnded(str(problem)) from problem
        finally:
            progress.finish()

    def _arrived(self) -> dict[int, int]:
        if self._is_new:
            return {}
        found = repeat(lambda: self._api.get(f"/v1/uploads/{self.id}/parts"))["data"]
        return {part["number"]: part["size"] for part in found}

    def _bring(self, parts: Parts, arrived: dict[int, int], progress: Progress) -> None:
        """All of it is hashed, and what is not there yet is sent."""
        numbers = range(1, self._upload["part_count"] + 1)
        there = {number for number in numbers if arrived.get(number) == parts.size_of(number)}

        def bring(number: int) -> bytes:
            return parts.digest(number) if number in there else parts.send(number)

        digests: dict[int, bytes] = {}
        missing: Collection[int] = numbers
        for _ in range(ROUNDS):
            digests |= Shared(missing, bring).run(AT_ONCE, progress.show)
            self._file.must_be_unchanged()
            missing = self._complete(b"".join(digests[number] for number in numbers))
            if not missing:
                return
            there.difference_update(missing)
        raise Failed(f"The storage does not keep all parts: {len(missing)} are missing though they were sent.")

    def _complete(self, digests: bytes) -> list[int]:
        """The parts that the storage does not have."""
        body = {"parts_sha256": hashlib.sha256(digests).hexdigest()}
        try:
            repeat(lambda: self._api.post(f"/v1/uploads/{self.id}/complete", body))
        except Problem as problem:
            if problem.code == "parts_missing":
                return [int(number) for number in problem.said.get("missing", [])]
            # An earlier try was heard, though its answer was lost; or somebody aborted it, as will be seen.
            if problem.code != "upload_ended":
                raise
        return []

    def _wait_until_checked(self, progress: Progress) -> Any:
        progress.checking()
        deadline = time.monotonic() + CHECK_SECONDS
        wait = FIRST_LOOK_SECONDS
        while (upload := self._look())["state"] == "verifying":
            if time.monotonic() > deadline:
                raise TimedOut(f"It is all there, and still not checked after {CHECK_SECONDS / 60:.0f} minutes.")
            time.sleep(wait)
            wait = min(wait * 1.5, LONGEST_LOOK_SECONDS)
        if upload["state"] != "ready":
            raise UploadEnded(_why(upload))
        return repeat(lambda: self._api.get(f"/v1/files/{upload['file_id']}"))

    def _look(self) -> dict[str, Any]:
        upload: dict[str, Any] = repeat(lambda: self._api.get(f"/v1/uploads/{self.id}"))
        return upload


def _why(upload: dict[str, Any]) -> str:
    error = upload["error"]
    if error:
        return f"The server refused it ({error['code']}): {error['detail']}"
    return f"This upload is {upload['state']}: there is nothing to go on with. Upload the file again."
