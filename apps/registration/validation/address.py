"""A postal address in its parts, and the text as which it is kept."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Address:
    postal_code: str = ""
    street: str = ""
    number: str = ""
    complement: str = ""
    district: str = ""
    city: str = ""
    # Two letters.
    state: str = ""

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """None where the text was written by a person, not by as_text."""
        if not text.startswith("{"):
            return None
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
        parts = {field.name: document.get(field.name, "") for field in fields(cls)}
        return cls(**parts) if all(isinstance(part, str) for part in parts.values()) else None

    def as_text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
