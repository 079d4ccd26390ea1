"""How far it is, for a person at a terminal; nothing at all for pipes and files."""

import shutil
import sys
import time
from collections import deque

# Of what is beside the bar: how much, how fast, for how long.
WORDS = 52
LONGEST_BAR = 30
SHORTEST_BAR = 8
SECONDS_BETWEEN = 0.1
# The speed is that of the last seconds.
SPEED_SECONDS = 10.0


class Progress:
    def __init__(self, total: int, already: int = 0) -> None:
        self._total = total
        self._already = already
        # By part: one that has to be sent again begins again.
        self._done: dict[int, int] = {}
        self._is_seen = sys.stderr.isatty()
        self._shown = ""
        self._shown_at = 0.0
        self._past: deque[tuple[float, int]] = deque()

    def tell(self, done: int, part: int = 0) -> None:
        """From any thread."""
        self._done[part] = done

    def show(self) -> None:
        """As often as one likes."""
        now = time.monotonic()
        if self._is_seen and now - self._shown_at >= SECONDS_BETWEEN:
            self._shown_at = now
            self._draw(now)

    def checking(self) -> None:
        if self._is_seen:
            self._draw(time.monotonic())
            self._write("  checking…")

    def finish(self) -> None:
        """Whatever is said next begins on a line of its own."""
        if self._shown:
            self._write("")
            print("\r", end="", file=sys.stderr, flush=True)

    def _draw(self, now: float) -> None:
        done = self._already + sum(list(self._done.values()))
        share = min(done / self._total, 1.0) if self._total else 1.0
        room = shutil.get_terminal_size().columns - WORDS
        width = min(LONGEST_BAR, max(SHORTEST_BAR, room))
        bar = "#" * round(share * width)
        self._write(
            f"  {bar:<{width}} {share:4.0%}  {in_words(done)} of {in_words(self._total)}{self._pace(now, done)}"
        )

    def _pace(self, now: float, done: int) -> str:
        self._past.append((now, done))
        while now - self._past[0][0] > SPEED_SECONDS:
            self._past.popleft()
        then, done_then = self._past[0]
        if now - then < SECONDS_BETWEEN or done <= done_then:
            return ""
        speed = (done - done_then) / (now - then)
        return f"  {in_words(speed)}/s  {_minutes((self._total - done) / speed)} left"

    def _write(self, line: str) -> None:
        print(f"\r{line:<{len(self._shown)}}", end="", file=sys.stderr, flush=True)
        self._shown = line


def in_words(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
