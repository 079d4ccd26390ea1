"""How long the providers take, when nothing is wrong with them."""

from dataclasses import asdict, dataclass
from typing import Any

from apps.channels.simulators.fields import read_number, read_object


@dataclass(slots=True)
class Delays:
    """Seconds. Those of the statuses count from the moment that the answer is due."""

    latency: float = 0.0
    """Before each answer. The message is accepted before it, so that whoever gives up waiting has sent it."""

    sent_after: float = 0.05
    delivered_after: float = 0.2
    read_after: float = 1.0

    def change(self, document: object) -> None:
        """Those that the document names, all of them or, if one is bad, none."""
        names = frozenset(self.shown())
        given = read_object(document, names, "the document of delays")
        read = {name: read_number(given, name) for name in names}
        for name, seconds in read.items():
            if seconds is not None:
                setattr(self, name, seconds)

    def shown(self) -> dict[str, Any]:
        return asdict(self)
