"""Processes that run from an image as they would be deployed: its user, its files, no privilege.

Nothing is writable but /tmp and /data. They share this machine's network, for the
servers they talk to listen there.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.builder import Builder, Mounted
from local.processes import Process

# A view of the mounts of its own, in which the image is read-only; then an ordinary user without any capability.
IN_A_CHROOT = """
set -e
mount --bind "$CONTAINER_ROOT" "$CONTAINER_ROOT"
cd "$CONTAINER_ROOT"
mount --bind "$CONTAINER_DATA" data
mount -t tmpfs -o mode=1777,size=256m tmpfs tmp
mount --rbind /proc proc
mount --rbind /dev dev
mount -o remount,bind,ro "$CONTAINER_ROOT"
exec chroot "$CONTAINER_ROOT" /usr/bin/setpriv --reuid="${CONTAINER_USER%:*}" --regid="${CONTAINER_USER#*:}" \
  --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all /usr/bin/env --chdir="$CONTAINER_FOLDER" "$@"
"""


@dataclass(frozen=True)
class Container:
    """What an image says of itself, and how a command is run in it."""

    user: str
    folder: str
    settings: Mapping[str, str]
    command: Sequence[str]
    data: Path
    logs: Path
    builder: Builder
    image: str
    root: Path | None = None

    def process(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> Process:
        """`settings` on top of the image's own; not on a command line, where others of this machine would read."""
        log = self.logs / f"{name}.log"
        if self.root is None:
            return Process(name, [*self._run(settings), *command], log, env=os.environ | dict(settings))
        place = {
            "CONTAINER_ROOT": str(self.root),
            "CONTAINER_DATA": str(self.data),
            "CONTAINER_USER": self.user,
            "CONTAINER_FOLDER": self.folder,
        }
        alone = ["unshare", "--mount", "--propagation", "private", "sh", "-c", IN_A_CHROOT, "sh"]
        return Process(name, [*alone, *command], log, env={**self.settings, **settings, **place})

    def _run(self, settings: Mapping[str, str]) -> list[str]:
        return [
            self.builder.program, "run", "--rm", "--network=host", "--read-only",
            "--tmpfs=/tmp:mode=1777,size=256m", "--cap-drop=ALL", "--security-opt=no-new-privileges",
            f"--volume={self.data}:/data", *(f"--env={name}" for name in settings), self.image,
        ]  # fmt: skip


@contextmanager
def container(builder: Builder, image: str, folder: Path) -> Iterator[Container]:
    said = _described(builder, image)
    data = folder / "data"
    data.mkdir()
    # Whoever the image runs as keeps its files there.
    data.chmod(0o777)
    made = Container(
        user=said["User"],
        folder=said["WorkingDir"],
        settings=dict(entry.split("=", 1) for entry in said["Env"]),
        command=said["Cmd"],
        data=data,
        logs=folder / "logs",
        builder=builder,
        image=image,
    )
    if builder.program != "buildah":
        yield made
        return
    with Mounted(image) as root:
        yield Container(**{**vars(made), "root": root})


def _described(builder: Builder, image: str) -> dict[str, Any]:
    described = subprocess.run(
        [builder.program, "inspect", "--type", "image", image], check=True, stdout=subprocess.PIPE, text=True
    )
    said = json.loads(described.stdout)
    return dict(said["OCIv1"]["config"] if builder.program == "buildah" else said[0]["Config"])
