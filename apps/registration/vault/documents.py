"""What is handed over when somebody asks what is known of them."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any

from apps.registration.vault.models import Person, PersonField
from apps.registration.vault.records import AccessRecord

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = ("section", "name", "kind", "value", "at", "who", "reason")


def document(
    person: Person, fields: Iterable[PersonField], accesses: Iterable[AccessRecord], *, has_more_accesses: bool
) -> dict[str, Any]:
    """For JSON."""
    return {
        "person": str(person.pk),
        "contact": None if person.contact_id is None else str(person.contact_id),
        "created_at": person.created_at.isoformat(),
        "changed_at": person.changed_at.isoformat(),
        "keep_until": None if person.keep_until is None else person.keep_until.isoformat(),
        "fields": [
            {
                "name": field.name,
                "kind": field.kind,
                "value": field.value,
                "changed_at": field.changed_at.isoformat(),
            }
            for field in fields
        ],
        "accesses": [
            {
                "at": access.at.isoformat(),
                "action": access.action.value,
                "actor": {"kind": access.actor_kind.value, "label": access.actor_label},
                "fields": access.fields,
                "reason": access.reason,
                "request_id": access.request_id,
            }
            for access in accesses
        ],
        "has_more_accesses": has_more_accesses,
    }


def as_csv(document: dict[str, Any]) -> str:
    """One table for a spreadsheet: first what is known, then who had to do with it."""
    text = StringIO()
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    for field in document["fields"]:
        rows.writerow(_cells("field", field["name"], field["kind"], field["value"], field["changed_at"], "", ""))
    for access in document["accesses"]:
        names = ", ".join(access["fields"])
        rows.writerow(
            _cells("access", access["action"], "", names, access["at"], access["actor"]["label"], access["reason"])
        )
    return text.getvalue()


def _cells(*texts: str) -> list[str]:
    return [f"'{text}" if text.startswith(_FORMULA) else text for text in texts]
