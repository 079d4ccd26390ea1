"""What is shown at the terminal: aligned, coloured where that is wanted, and never able to command it."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

_MARKS = {
    "queued": "·",
    "sending": "→",
    "sent": "✓",
    "delivered": "✓✓",
    "read": "✓✓",
    "failed": "✗",
    "cancelled": "–",
    "expired": "–",
    "message": "←",
}
_PLAIN_MARKS = {"queued": ".", "sending": ">", "sent": "v", "delivered": "vv", "read": "vv", "failed": "x",
                "cancelled": "-", "expired": "-", "message": "<"}  # fmt: skip
_COLOURS = {
    "queued": "2",
    "sending": "2",
    "delivered": "32",
    "read": "36",
    "failed": "31",
    "cancelled": "33",
    "expired": "33",
    "message": "35",
}


def clean(text: object) -> str:
    """Without what a terminal would obey: some of it was written by strangers."""
    return "".join(character if character.isprintable() else " " for character in str(text))


def is_colourful(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Painter:
    """Of what happens: one line each, or one JSON object each."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._has_colours = is_colourful(sys.stdout)
        self._marks = _MARKS if _can_write("✓✓✗→←–", sys.stdout) else _PLAIN_MARKS

    def show(self, frame: Mapping[str, Any], *, now: bool = False) -> None:
        """`now`: how it stands, rather than something that just happened."""
        if self._as_json:
            print(json.dumps(frame, ensure_ascii=False), flush=True)
            return
        status = frame["status"] if frame["type"] in {"status", "snapshot"} else "message"
        mark = f"{self._marks.get(status, '?'):<2}"
        head = self._coloured(f"{mark} {clean(status):<9}", _COLOURS.get(status, "0"))
        where = f"{clean(frame['message_id'])}  in {clean(frame['conversation_id'])}"
        print(f"{_local(frame['at'])}  {head}  {where}{self._rest(frame, now=now)}".rstrip(), flush=True)

    def _rest(self, frame: Mapping[str, Any], *, now: bool) -> str:
        if now:
            return self._coloured("  (as it stands)", "2")
        kind = frame.get("kind", frame.get("status"))
        if kind != frame.get("status"):
            return self._coloured(f"  {clean(kind)}, attempt {frame.get('attempt', 0)}", "33")
        return f"  {clean(frame['text'])[:200]}" if frame.get("text") else ""

    def _coloured(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._has_colours else text


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [list(names), *([clean(cell) for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(names))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def say(words: str) -> None:
    """To the person, beside what goes into files and pipes."""
    lines = [clean(line) for line in words.splitlines()]
    print("\n".join(["recado: " + lines[0], *lines[1:]] if lines else []), file=sys.stderr, flush=True)


def local_time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")


def _local(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%H:%M:%S")


def _can_write(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeError:
        return False
    return True
