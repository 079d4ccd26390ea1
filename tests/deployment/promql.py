"""Which metrics an expression speaks of. Whether it is PromQL at all, promtool says."""

import re

_NOT_NAMES = re.compile(
    r"""
    "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'          # strings, which labels have
  | \{[^{}]*\}                                     # matchers
  | \[[^\]]*\]                                     # ranges
  | \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)
  | \b\d+(?:ms|[smhdwy])\b                         # offsets
  | \b(?:and|or|unless|bool|offset|atan2|group_left|group_right|inf|nan)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What is followed by a bracket is a function or an aggregation.
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()")


def metrics_of(expression: str) -> set[str]:
    left = expression
    # Braces stand in strings too: until nothing changes any more.
    while (shorter := _NOT_NAMES.sub(" ", left)) != left:
        left = shorter
    return set(_NAME.findall(left))


def as_prometheus_gets_it(expression: str) -> str:
    """Without Grafana's variables."""
    return re.sub(r"\$__rate_interval\b", "5m", expression).replace("${datasource}", "prometheus")
