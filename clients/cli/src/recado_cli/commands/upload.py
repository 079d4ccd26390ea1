"""Upload a file, and print what the server made of it.

A small one goes through the server; a larger one in parts straight to its storage, several at a time, and can be
resumed. Either way it is streamed: a large one needs no more memory.
"""

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

from recado_cli.api import Api
from recado_cli.commands import an_id, session_of
from recado_cli.direct_upload import DirectUpload
from recado_cli.failures import Exit, Failed, Unreachable, UploadEnded
from recado_cli.local_file import LocalFile
from recado_cli.painting import say
from recado_cli.progress import Progress
from recado_cli.streamed_upload import upload_streamed

EXAMPLES = """\
examples:
  recado upload invoice.pdf
  recado upload --resume 0199f3a2-… holidays.mp4       as it says itself when it is cut off
  recado upload --streamed holidays.mp4                where the storage cannot be reached from here
"""
# Larger ones go straight to the storage.
SMALL_BYTES = 16 * 1024 * 1024


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--resume", metavar="ID", type=an_id, help="go on with an upload that was cut off")
    way.add_argument("--direct", action="store_true", help="straight to the storage, however small it is")
    way.add_argument("--streamed", action="store_true", help="through the server, however large it is")


def run(options: argparse.Namespace) -> int:
    api = Api(session_of(options))
    file = LocalFile(options.file)
    if options.resume:
        answer = _directly(DirectUpload.resume(api, file, options.resume), options)
    elif options.direct or (file.size > SMALL_BYTES and not options.streamed):
        answer = _directly(DirectUpload.begin(api, file), options)
    else:
        answer = _streamed(api, file)
    print(json.dumps(answer, ensure_ascii=False))
    return Exit.OK


def _streamed(api: Api, file: LocalFile) -> Any:
    progress = Progress(file.size)
    try:
        return upload_streamed(api, file, progress)
    finally:
        progress.finish()


def _directly(upload: DirectUpload, options: argparse.Namespace) -> Any:
    again = _again(upload, options)
    if not options.resume:
        # Now: whoever pulls the plug is not told later.
        say(f"if it is cut off, go on with: {again}")
    try:
        return upload.run()
    except KeyboardInterrupt:
        say(f"interrupted; go on with: {again}")
        raise
    except UploadEnded:
        raise
    except Failed as failed:
        if isinstance(failed, Unreachable):
            failed.add_note("If only the storage cannot be reached from here: recado upload --streamed")
        failed.add_note(f"Go on with: {again}")
        raise


def _again(upload: DirectUpload, options: argparse.Namespace) -> str:
    profile = [] if options.profile == "default" else ["--profile", options.profile]
    return shlex.join(["recado", *profile, "upload", "--resume", upload.id, str(options.file)])
