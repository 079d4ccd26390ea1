"""One file a command: what it does and EXAMPLES for its help, `configure` for its options, and `run`."""

import argparse
import os
import uuid

from recado_cli.profiles import Profiles
from recado_cli.session import Session, open_session


def session_of(options: argparse.Namespace) -> Session:
    return open_session(options.profile, dict(os.environ), Profiles(), insecure=options.insecure)


def an_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no id") from error
