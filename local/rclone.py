"""A real S3, from a wheel: rclone, which keeps objects as files of a folder."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from local.ports import HOST, is_free
from local.processes import Process

BUCKET = "recado"
ACCESS_KEY = "recado"


@dataclass
class RcloneServer:
    data: Path
    port: int
    secret_key: str
    log: Path
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        command: list[str | Path] = [
            Path(sys.executable).with_name("rclone"), "serve", "s3", "--addr", f"{HOST}:{self.port}",
            # Nothing of the user's own rclone is read.
            "--config", os.devnull,
            # Else it hashes all that is written five ways, and once more when it is first asked for.
            "--ignore-checksum", "--etag-hash", "",
            self.data,
        ]  # fmt: skip
        # Not on the command line, where any user of the machine would read the key.
        environment = os.environ | {"RCLONE_AUTH_KEY": f'"{ACCESS_KEY},{self.secret_key}"'}
        self.process = Process("S3", command, self.log, env=environment)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """As Recado is told of it."""
        return {
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": self.url,
            "S3_ACCESS_KEY": ACCESS_KEY,
            "S3_SECRET_KEY": self.secret_key,
        }

    def start(self) -> None:
        (self.data / BUCKET).mkdir(parents=True, exist_ok=True)
        self.process.start()
        self.process.wait_until(lambda: not is_free(self.port))

    def stop(self) -> None:
        self.process.stop()
