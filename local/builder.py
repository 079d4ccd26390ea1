"""Whatever builds images on this machine: docker, podman or buildah, which need no other option than here."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.places import ROOT

# What a build in a chroot shares with this machine, so that installers find their way out as they do here.
SHARED = ("/etc/pip.conf", "/etc/resolv.conf", "/etc/ssl/certs")


class NoBuilder(Exception):
    """The message says what to install."""


@dataclass(frozen=True)
class Builder:
    program: str

    @classmethod
    def find(cls) -> "Builder":
        """Docker and podman only where they answer: a client without its engine builds nothing."""
        for program in ("docker", "podman"):
            if shutil.which(program) and _succeeds(program, "info"):
                return cls(program)
        if shutil.which("buildah"):
            return cls("buildah")
        raise NoBuilder("Nothing here builds images. Install docker, podman or buildah.")

    def has(self, image: str) -> bool:
        return _succeeds(self.program, "inspect", "--type", "image", image)

    def build(self, target: str, image: str, release: str, arguments: Sequence[str] = ()) -> None:
        command = [self.program, "build", *self._options(), *arguments]
        command += ["--target", target, "--build-arg", f"RELEASE={release}", "--tag", image, str(ROOT)]
        subprocess.run(command, check=True)

    def size(self, image: str) -> int:
        """In bytes, unpacked."""
        if self.program != "buildah":
            return int(_output(self.program, "image", "inspect", "--format", "{{.Size}}", image))
        with Mounted(image) as root:
            return int(_output("du", "--summarize", "--bytes", "--one-file-system", str(root)).split()[0])

    def _options(self) -> list[str]:
        if self.program != "buildah":
            return []
        # Without a container runtime; and in Docker's format, which knows health checks.
        shared = [f"--volume={path}:{path}:ro" for path in SHARED if Path(path).exists()]
        return ["--isolation", "chroot", "--format", "docker", *shared]


class Mounted:
    """The file system of an image that buildah built, as a folder."""

    def __init__(self, image: str) -> None:
        self._image = image
        self._container = ""

    def __enter__(self) -> Path:
        self._container = _output("buildah", "from", "--pull-never", self._image)
        return Path(_output("buildah", "mount", self._container))

    def __exit__(self, *_error: object) -> None:
        if self._container:
            _output("buildah", "rm", self._container)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True, env=dict(os.environ)).returncode == 0


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
