"""What operators watch, counted while it happens."""

from apps.operations.models.standing import Standing
from apps.operations.models.traffic import Span, Traffic, TrafficCursor

__all__ = ["Span", "Standing", "Traffic", "TrafficCursor"]
