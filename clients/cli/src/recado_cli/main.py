"""`recado`: the commands and what they share."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from recado_cli import __version__
from recado_cli.failures import Exit, Failed
from recado_cli.painting import say

_COMMANDS = {
    "login": "log in with e-mail and password, or keep an API key",
    "logout": "end the session, and forget it here",
    "send": "send a message",
    "tail": "follow events, live",
    "conversations": "list conversations",
    "upload": "upload a file",
    "download": "download a file",
}

_ABOUT = "Recado at the command line: send messages, and follow what becomes of them, live."
_MORE = """\
environment:
  RECADO_URL      where the server is, such as https://recado.example.com
  RECADO_GRPC     where its gRPC is, such as recado.example.com:50051
  RECADO_API_KEY  the way in, in place of a profile
  NO_COLOR        set to anything: no colours

exit codes:
  0  done                        4  the server cannot be reached
  1  refused, or it failed       5  the message was not delivered (send --wait)
  2  the command makes no sense  6  it takes too long (send --wait, upload)
  3  not logged in             130  interrupted (tail ends with 0)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        # Given here and not to the parser, whose commands would take them for what was typed.
        unsaid = argparse.Namespace(profile="default", insecure=False)
        typed = sys.argv[1:] if arguments is None else arguments
        options = _parser(typed).parse_args(typed, unsaid)
        return int(options.run(options))
    except Failed as failed:
        say("\n  ".join([str(failed), *getattr(failed, "__notes__", [])]))
        return failed.exit_code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough. Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def _parser(typed: Sequence[str]) -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--profile", default=argparse.SUPPRESS, metavar="NAME", help="one of several servers or accounts (default)"
    )
    shared.add_argument(
        "--insecure", action="store_true", default=argparse.SUPPRESS, help="plain text beyond this machine, too"
    )
    parser = argparse.ArgumentParser(
        prog="recado",
        description=_ABOUT,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared],
    )
    parser.add_argument("--version", action="version", version=f"recado {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        one = commands.add_parser(
            name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter, parents=[shared]
        )
        # gRPC alone takes longer to import than most commands take to run.
        if name in typed:
            command = import_module(f"recado_cli.commands.{name}")
            one.description, one.epilog = command.__doc__, command.EXAMPLES
            command.configure(one)
            one.set_defaults(run=command.run)
    return parser
