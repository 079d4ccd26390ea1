"""`traceparent`, as W3C's Trace Context has it: in headers, in the column of a message, in the event stream."""

import re
from functools import lru_cache
from typing import NamedTuple

_WORDS = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_SAMPLED = 1
_LONGEST = 200


class Parent(NamedTuple):
    trace_id: str
    span_id: str
    is_sampled: bool


def read(traceparent: str | None) -> Parent | None:
    """None where there is none, or where it makes no sense: whoever wrote it may be anybody."""
    return _parse(traceparent) if traceparent and len(traceparent) <= _LONGEST else None


# A message's is read for each of its spans, and a drain's for each of its messages.
@lru_cache(maxsize=4096)
def _parse(traceparent: str) -> Parent | None:
    found = _WORDS.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = found.groups()
    return Parent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def write(trace_id: str, span_id: str) -> str:
    """Only of what is sampled: nothing else is ever written down."""
    return f"00-{trace_id}-{span_id}-01"
