"""Download a file, and print where it is.

It comes straight from the storage, and goes on where it broke off: what is here of it is kept beside the file in
FILE_ID.part, until all of it is, and is what the server says of it.
"""

import argparse
from pathlib import Path
from typing import Any

from recado_cli.api import Api
from recado_cli.commands import an_id, session_of
from recado_cli.exchange import CHUNK_BYTES, exchange
from recado_cli.failures import Exit, Failed
from recado_cli.names import safe_name
from recado_cli.painting import say
from recado_cli.partial import Partial, taken
from recado_cli.progress import Progress
from recado_cli.repeating import pause, repeat
from recado_cli.rest import status_may_pass

EXAMPLES = """\
examples:
  recado download 0199f3a2-…                   under its own name, into this folder
  recado download 0199f3a2-… invoices/         under its own name, into another
  recado download 0199f3a2-… march.pdf
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file_id", metavar="FILE_ID", type=an_id)
    parser.add_argument("path", nargs="?", type=Path, default=Path(), help="a file, or a folder that is there (.)")
    parser.add_argument("--force", action="store_true", help="overwrite what is there")


def run(options: argparse.Namespace) -> int:
    api = Api(session_of(options))
    file = repeat(lambda: api.get(f"/v1/files/{options.file_id}"))
    target = options.path / safe_name(file["name"]) if options.path.is_dir() else options.path
    if not options.force and (target.exists() or target.is_symlink()):
        raise taken(target)
    with Partial(target.with_name(f"{options.file_id}.part")) as partial:
        _fetch(api, file, partial)
        if partial.sha256 != file["sha256"]:
            partial.remove()
            raise Failed("What arrived is not what the server has, and was removed. Download it again.")
        partial.become(target, force=options.force)
    print(target)
    return Exit.OK


def _fetch(api: Api, file: dict[str, Any], partial: Partial) -> None:
    """All of it, however often the connection breaks, as long as some of it comes each time."""
    if partial.size > file["size"]:
        partial.start_over()
    progress = Progress(file["size"])
    failures = 0
    try:
        while partial.size < file["size"]:
            had = partial.size
            try:
                _go_on(api, file, partial, progress)
            except Failed as failed:
                failures = 1 if partial.size > had else failures + 1
                pause(failed, failures)
    except KeyboardInterrupt:
        progress.finish()
        say("interrupted; the same command goes on where it was")
        raise
    finally:
        progress.finish()


def _go_on(api: Api, file: dict[str, Any], partial: Partial, progress: Progress) -> None:
    link = api.get(f"/v1/files/{file['id']}/presigned")
    began_at = partial.size
    headers = {"Range": f"bytes={began_at}-"} if began_at else {}
    with exchange("GET", link["url"], headers) as answer:
        if not 200 <= answer.status < 300:
            failed = Failed(f"The storage does not give it out ({answer.status}).")
            failed.may_pass = status_may_pass(answer.status)
            raise failed
        # Not by its status: some give out a range with 200, and some the whole.
        if began_at and not answer.headers.get("Content-Range", "").startswith(f"bytes {began_at}-"):
            partial.start_over()
        while partial.size < file["size"]:
            chunk = answer.read(min(CHUNK_BYTES, file["size"] - partial.size))
            if not chunk:
                raise ConnectionError("it ended too early")
            partial.append(chunk)
            progress.tell(partial.size)
            progress.show()
