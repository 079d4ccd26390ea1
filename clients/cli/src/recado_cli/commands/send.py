"""Send a message, and print its id. With --wait, follow it until it has arrived or cannot."""

import argparse
import json
import random
import sys
import time
import uuid
from typing import Any

from recado_cli.commands import session_of
from recado_cli.failures import BadUsage, Exit, Failed, NotDelivered, TimedOut, Unreachable
from recado_cli.following import Follower
from recado_cli.frames import frame_of, snapshot_of
from recado_cli.painting import Painter, say
from recado_cli.session import Session

EXAMPLES = """\
examples:
  recado send --account 0199f3a2-… --to +5511912345678 "Your order is on its way"
  recado send --conversation 0199f3a2-… --wait < letter.txt
  recado send --account 0199f3a2-… --to +5511912345678 --reference order-7 --wait --until read "Hello"
"""
# Statuses in the order in which a message passes them.
_WAY = ("queued", "sending", "sent", "delivered", "read")
_TRIES = 4


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="?", default="-", help="what it says; read from the input if missing or -")
    where = parser.add_argument_group("where to").add_mutually_exclusive_group(required=True)
    where.add_argument("--to", metavar="ADDRESS", help="an address, such as +5511912345678; needs --account")
    where.add_argument("--conversation", metavar="ID", help="a conversation that exists")
    parser.add_argument("--account", metavar="ID", help="the channel account that sends it")
    parser.add_argument("--reference", help="your own name for it")
    parser.add_argument("--priority", choices=("low", "normal", "high"))
    parser.add_argument("--json", action="store_true", help="show the whole message, and each event, as JSON")
    parser.add_argument("--wait", action="store_true", help="follow it; it ends with 5 if it is not delivered")
    parser.add_argument(
        "--until",
        choices=_WAY[2:],
        default="delivered",
        help="what --wait waits for (delivered); read may not come",
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="how long --wait waits (for ever)")


def run(options: argparse.Namespace) -> int:
    if (options.to is None) != (options.account is None):
        raise BadUsage("--to and --account belong together. A --conversation needs neither.")
    session = session_of(options)
    message = _send(session, _body(options))
    if options.json:
        print(json.dumps(message, ensure_ascii=False), flush=True)
    else:
        print(message["id"], flush=True)
    if options.wait:
        _wait(session, message, options)
    return Exit.OK


def _body(options: argparse.Namespace) -> dict[str, Any]:
    body = {
        "text": options.text if options.text != "-" else _read_text(),
        "account_id": options.account,
        "to": options.to,
        "conversation_id": options.conversation,
        "reference": options.reference,
        "priority": options.priority,
    }
    return {name: value for name, value in body.items() if value is not None}


def _read_text() -> str:
    if sys.stdin.isatty():
        say("write the message, and end it with Ctrl-D on a line of its own")
    return sys.stdin.read().removesuffix("\n")


def _send(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """However often it takes: the key makes sure that it is sent once."""
    key = str(uuid.uuid4())
    for tries_left in reversed(range(_TRIES)):
        try:
            message: dict[str, Any] = session.rest.post(
                "/v1/messages", session.authorization(), body, **{"Idempotency-Key": key}
            )
        except Unreachable:
            if not tries_left:
                raise
            time.sleep(random.uniform(0, 1.0))  # noqa: S311 - no secret
        else:
            return message
    raise AssertionError("unreachable")


def _wait(session: Session, message: dict[str, Any], options: argparse.Namespace) -> None:
    """From the moment that the events flow, nothing can be missed: what happened before is read then."""
    painter = Painter(as_json=options.json)
    deadline = None if options.timeout is None else time.monotonic() + options.timeout
    follower = Follower(session, [message["conversation_id"]], say=say, deadline=deadline)
    for event in follower.events():
        kind = event.WhichOneof("kind")
        if kind == "gap" or (kind == "subscribed" and not event.subscribed.recovered):
            now = session.rest.get(f"/v1/messages/{message['id']}", session.authorization())
            painter.show(snapshot_of(now), now=True)
            status = now["status"]
        elif kind == "status" and event.status.message_id == message["id"]:
            painter.show(frame_of(event) or {})
            status = event.status.status
        else:
            continue
        if _is_over(session, message, status, options.until):
            return
    raise TimedOut(
        f"It is not {options.until} after {options.timeout:g} s. It goes on without us: {message['id']}"
    )


def _is_over(session: Session, message: dict[str, Any], status: str, until: str) -> bool:
    if status in _WAY:
        return _WAY.index(status) >= _WAY.index(until)
    why = ""
    if status == "failed":
        try:
            error = session.rest.get(f"/v1/messages/{message['id']}", session.authorization())["error"] or {}
        except Failed:
            error = {}
        why = f": {error.get('class', '')} {error.get('code', '')} {error.get('detail', '')}".rstrip(": ")
    raise NotDelivered(f"It was not delivered, it is {status}{why}.")
