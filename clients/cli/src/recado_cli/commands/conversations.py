"""List conversations, newest first."""

import argparse
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from recado_cli.commands import session_of
from recado_cli.failures import Exit
from recado_cli.painting import local_time, say, table

EXAMPLES = """\
examples:
  recado conversations --address +5511912345678
  recado conversations --all --json | jq -r .id
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", metavar="ID", help="only those of this channel account")
    parser.add_argument("--address", help="only those with whoever is reached there")
    parser.add_argument("--limit", type=int, default=50, help="how many on a page, at most 200 (50)")
    parser.add_argument("--cursor", help="go on from here")
    parser.add_argument("--all", action="store_true", help="every page")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    session = session_of(options)
    cursor = options.cursor
    while True:
        page = session.rest.get(
            "/v1/conversations",
            session.authorization(),
            limit=options.limit,
            cursor=cursor or None,
            account_id=options.account,
            address=options.address,
        )
        _show(page["data"], options)
        # Only the cursor: the address in the link is the server's own, and may not be ours.
        cursor = "".join(parse_qs(urlsplit(page["next"] or "").query).get("cursor", []))
        if not cursor:
            return Exit.OK
        if not options.all:
            say(f"there are more: add --cursor {cursor}, or --all")
            return Exit.OK


def _show(found: list[dict[str, Any]], options: argparse.Namespace) -> None:
    if options.json:
        for each in found:
            print(json.dumps(each, ensure_ascii=False))
    elif found:
        rows = [
            (
                each["id"],
                each["channel"],
                each["address"],
                "closed" if each["closed_at"] else "open",
                local_time(each["created_at"]),
            )
            for each in found
        ]
        print(table(("ID", "CHANNEL", "ADDRESS", "STATE", "SINCE"), rows))
