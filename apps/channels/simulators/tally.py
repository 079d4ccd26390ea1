"""What the providers accepted: what people would have received, how often and in which order."""

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from itertools import islice
from sys import intern
from typing import Any

MOST_SHOWN = 1000
"""Doubled keys in one answer."""

_MOST_DOUBLED = 100_000
_MOST_UPLOADS = 1000
_MOST_CHARACTERS = 500_000_000

type Entry = tuple[float, str, str, str, str, str]
"""at, provider, account, to, key, text: a tuple of plain values, which the garbage collector leaves alone."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Enough of a file to tell whether it is the one that was sent."""

    name: str
    media_type: str
    size: int
    sha256: str


class Tally:
    """Exact until more was accepted than it keeps; then `truncated` says that the oldest went, and a key that
    comes again after its first entry went counts as new.
    """

    def __init__(self, most_entries: int) -> None:
        self._most_entries = most_entries
        self.forget()

    def forget(self) -> None:
        self.requests = 0
        self.accepted = 0
        self.distinct = 0
        self.cut = 0
        self.refused: Counter[str] = Counter()
        self.truncated = False
        self._log: deque[Entry] = deque()
        self._counts: dict[str, int] = {}
        self._doubled: dict[str, int] = {}
        self._characters = 0
        self._uploads: deque[dict[str, Any]] = deque(maxlen=_MOST_UPLOADS)

    def accept(self, provider: str, account: str, to: str, key: str, text: str) -> None:
        self.accepted += 1
        count = self._counts.get(key, 0) + 1
        self._counts[key] = count
        if count == 1:
            self.distinct += 1
        elif key in self._doubled or len(self._doubled) < _MOST_DOUBLED:
            self._doubled[key] = count
        # Few accounts, and often few people, have many messages: one string each is enough.
        self._log.append((time.time(), provider, intern(account), intern(to), key, text))
        self._characters += len(key) + len(text)
        while len(self._log) > self._most_entries or self._characters > _MOST_CHARACTERS:
            self._drop_oldest()

    def keep(self, provider: str, account: str, to: str, upload: Upload) -> None:
        """What came, whatever becomes of its message."""
        self._uploads.append({"provider": provider, "account": account, "to": to, **asdict(upload)})

    def uploads(self) -> list[dict[str, Any]]:
        """The latest, in the order in which they came."""
        return list(self._uploads)

    def summary(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "distinct": self.distinct,
            "doubled": dict(islice(self._doubled.items(), MOST_SHOWN)),
            "requests": self.requests,
            "refused_by_kind": dict(self.refused),
            "cut": self.cut,
            "truncated": self.truncated,
        }

    def entries(self) -> list[Entry]:
        """As they are now: what is accepted while somebody reads them does not disturb."""
        return list(self._log)

    def _drop_oldest(self) -> None:
        self.truncated = True
        _at, _provider, _account, _to, key, text = self._log.popleft()
        self._characters -= len(key) + len(text)
        left = self._counts[key] - 1
        if left:
            self._counts[key] = left
        else:
            del self._counts[key]
