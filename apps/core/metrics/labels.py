"""What may stand in a label. Each is a closed list of words, or has a bound: a label with ids would never end."""

from collections.abc import Iterable
from dataclasses import dataclass, field

# What is on no list, and whatever comes beyond a bound.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    # For whoever reads docs/metrics.md.
    says: str
    # None where the code that counts knows a closed list that cannot be named here, such as the routes.
    values: frozenset[str] | None
    # So many different ones at most.
    most: int = field(default=0)

    @classmethod
    def of(cls, name: str, says: str, values: Iterable[str]) -> "Label":
        known = frozenset(values) | {OTHER}
        return cls(name, says, known, len(known))


METHOD = Label.of("method", "the HTTP method", ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
STATUS = Label.of("status", "the class of the answer's status", ("1xx", "2xx", "3xx", "4xx", "5xx"))
ROUTE = Label("route", "the template of the address, without what stands in it; `unmatched` where there is none",
              None, 600)  # fmt: skip
VERSION = Label("version", "`RELEASE`, as it was built", None, 1)
