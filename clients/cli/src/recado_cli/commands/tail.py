"""Follow what happens, until Ctrl-C: every status of every message, and what people write.

When the connection breaks, it comes back by itself and goes on where it was: nothing is missed, and nothing comes
twice. Where that is not possible, it says so, and shows how things stand.
"""

import argparse
import uuid

from recado_cli.commands import session_of
from recado_cli.failures import Exit
from recado_cli.following import Follower
from recado_cli.frames import frame_of, snapshot_of
from recado_cli.generated import recado_pb2 as pb
from recado_cli.painting import Painter, say
from recado_cli.session import Session

EXAMPLES = """\
examples:
  recado tail                                every conversation
  recado tail --conversation 0199f3a2-…      one, or several: say it again for each
  recado tail --json | jq 'select(.status == "failed")'
"""
MOST_SHOWN = 50


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--conversation",
        metavar="ID",
        action="append",
        default=[],
        type=_id,
        help="only this one; may be repeated",
    )
    parser.add_argument("--since", metavar="OFFSET", default="", help="go on after this event's offset")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    painter = Painter(as_json=options.json)
    try:
        session = session_of(options)
        left = max(len(set(options.conversation)), 1)
        for event in Follower(session, options.conversation, since=options.since, say=say).events():
            frame = frame_of(event)
            if frame is not None and (options.json or frame["type"] != "gap"):
                painter.show(frame)
            left -= event.HasField("subscribed")
            if left == 0 and event.HasField("subscribed"):
                say("following; Ctrl-C ends")
            if event.HasField("gap"):
                _show_gap(session, event.gap, painter)
    except KeyboardInterrupt:
        pass
    return Exit.OK


def _show_gap(session: Session, gap: pb.Gap, painter: Painter) -> None:
    which = f"conversation {gap.conversation_id}" if gap.conversation_id else "the organization"
    say(f"gap: some events of {which} were missed. How its newest messages stand now:")
    path = f"/v1/conversations/{gap.conversation_id}/messages" if gap.conversation_id else "/v1/messages"
    newest = session.rest.get(path, session.authorization(), limit=MOST_SHOWN)["data"]
    for message in reversed(newest):
        painter.show(snapshot_of(message), now=True)


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no id; `recado conversations` lists them") from error
