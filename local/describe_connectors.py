"""Write the table of what each connector can carry into docs/connectors.md, from what the connectors declare."""

import sys
from collections.abc import Iterator
from pathlib import Path

import django

from apps.channels.capabilities import Capabilities
from apps.channels.content import MediaKind
from apps.channels.registry import NAMES, connector_class

PAGE = Path("docs/connectors.md")
BEGINS, ENDS = "<!-- capabilities: begin -->", "<!-- capabilities: end -->"
_MEGABYTE = 1024 * 1024


def main() -> int:
    """With --check nothing is changed, and 1 says that the page is old."""
    django.setup()
    written = PAGE.read_text()
    head, _, rest = written.partition(BEGINS)
    _, _, tail = rest.partition(ENDS)
    wanted = f"{head}{BEGINS}\n{table()}\n{ENDS}{tail}"
    if wanted == written:
        return 0
    if "--check" in sys.argv:
        print(f"{PAGE} is not what the connectors declare: run `make connectors`.")
        return 1
    PAGE.write_text(wanted)
    return 0


def table() -> str:
    columns = [list(_column(name)) for name in NAMES]
    heads = ["", *(f"`{name}`" for name in NAMES)]
    rows = [[label, *(column[n][1] for column in columns)] for n, (label, _) in enumerate(columns[0])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])


def _column(name: str) -> Iterator[tuple[str, str]]:
    kind = connector_class(name)
    known = kind.capabilities
    yield "people are addressed by", known.address.value.replace("_", " ")
    yield "longest text", f"{known.longest_text:,} {known.text_unit}"
    for media in MediaKind:
        yield media.value, _media(known, media)
    yield "uploaded files go", _way(known)
    yield "buttons", f"{known.most_buttons} of {known.longest_button}" if known.most_buttons else "–"
    yield "subject", _said(known.has_subject)
    yield "answers to a message", _said(known.quotes)
    yield "templates at the provider", _said(known.has_templates)
    yield (
        "time to reply",
        f"{known.reply_window.total_seconds() / 3600:.0f} h" if known.reply_window else "any time",
    )
    yield "people write back", _said(known.hears_replies)
    yield "tells what was delivered", _said(known.reports_delivered)
    yield "tells what was read", _said(known.reports_read)
    yield "unknown outcome", _unknown(known)
    yield "unsubscribe button", _said(known.offers_one_click)
    yield "starts with", f"{kind.limits.account.rate:g}/s, {kind.limits.account.burst} at once"


def _media(known: Capabilities, media: MediaKind) -> str:
    rule = known.media.get(media)
    if rule is None:
        return "–"
    size = f"{rule.most_bytes / _MEGABYTE:g} MB"
    return f"{size}, caption {rule.longest_caption:,}" if rule.longest_caption else size


def _way(known: Capabilities) -> str:
    ways = {rule.by for rule in known.media.values()}
    return "within the message" if ways == {"upload"} else "by link" if ways == {"link"} else "–"


def _unknown(known: Capabilities) -> str:
    if known.sends_are_idempotent:
        return "sent again, dropped if doubled"
    return "settled by a receipt" if known.echoes_our_id else "as `on_unknown` says"


def _said(has: bool) -> str:
    return "yes" if has else "–"


if __name__ == "__main__":
    sys.exit(main())
