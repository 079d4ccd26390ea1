"""`make image` builds both images; `make image-smoke` builds one and has it send a message.

As it would be deployed: from its own files only, read-only but for /tmp, as its own user without a privilege, over
the real PostgreSQL and Valkey of this machine.
"""

import argparse
import os
import subprocess
import sys
import time

from local import base_images
from local.builder import Builder, NoBuilder
from local.console import Stopped, say, stop_when_told
from local.image_smoke import SmokeFailed, smoke
from local.places import ROOT
from local.processes import ProcessFailed

IMAGES = {"runtime": "recado", "backup": "recado-backup"}


def main() -> int:
    given = _parser().parse_args()
    stop_when_told()
    try:
        builder = Builder.find()
        if given.stand_ins:
            make_stand_ins(builder)
        for target in ("runtime",) if given.smoke else IMAGES:
            build(builder, target, f"{IMAGES[target]}:{given.version}", given.release or release())
        if given.smoke:
            smoke(builder, f"{IMAGES['runtime']}:{given.version}")
    except Stopped as stopped:
        return stopped.exit_code
    except (NoBuilder, SmokeFailed, ProcessFailed) as problem:
        say(f"\n  {problem}\n")
        return 1
    except subprocess.CalledProcessError as failed:
        say(f"\n  {failed.cmd[0]} failed (exit code {failed.returncode}). The lines above say why.\n")
        return 1
    return 0


def build(builder: Builder, target: str, image: str, version: str) -> None:
    started = time.monotonic()
    builder.build(target, image, version)
    size = builder.size(image) / 1e6
    say(f"  ✓ {image}, {size:.0f} MB, in {time.monotonic() - started:.0f} s with {builder.program}")


def make_stand_ins(builder: Builder) -> None:
    """For a machine that reaches no registry of images."""
    if builder.program != "buildah":
        raise NoBuilder("--stand-ins makes base images for buildah. With docker or podman, load them yourself.")
    if not all(builder.has(f"docker.io/library/{image}") for image in base_images.base_images()):
        base_images.main()


def release() -> str:
    """What `git describe` says of these files."""
    described = subprocess.run(
        ["git", "describe", "--tags", "--always", "--dirty"],  # noqa: S607
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip() or "dev"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.image", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="try what was built")
    parser.add_argument("--version", default=os.environ.get("RECADO_VERSION") or "dev", help="the images' tag")
    parser.add_argument("--release", help="what the image says that it is; else what git describe says")
    parser.add_argument("--stand-ins", action="store_true", help="make the base images too, with debootstrap")
    return parser


if __name__ == "__main__":
    sys.exit(main())
