"""What is wrong with something that a caller sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """In the shape in which engine.accept refuses: `field` is empty where the whole message is wrong."""

    field: str
    code: str
    detail: str
