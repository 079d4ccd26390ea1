"""Traces: a few telling spans, from the request that brings a message to the frame that tells of it.

Off unless the settings name a collector and the process said `begin`. Off, nothing that exports is imported,
and every function here returns at once. What is not sampled costs as little: it has no span at all, anywhere.
"""

from apps.core.tracing.span import MOST_LINKS, Attributes, Span
from apps.core.tracing.spans import (
    begin,
    carried,
    child,
    decide,
    end,
    here,
    inside,
    is_decided,
    is_on,
    now,
    past,
    root,
    start,
    traceparent,
    within,
)

__all__ = [
    "MOST_LINKS",
    "Attributes",
    "Span",
    "begin",
    "carried",
    "child",
    "decide",
    "end",
    "here",
    "inside",
    "is_decided",
    "is_on",
    "now",
    "past",
    "root",
    "start",
    "traceparent",
    "within",
]
