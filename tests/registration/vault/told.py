"""What Ana told, and who writes it down."""

from typing import Any
from uuid import UUID

from apps.accounts.principal import SYSTEM
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault import people
from apps.registration.vault.models import Access
from apps.registration.vault.people import PersonRecord
from apps.registration.vault.writing import Values
from tests.cast import House

NAME, EMAIL, PHONE, TAX_ID = "Ana Beatriz Lima", "ana.lima@exemplo.com.br", "+5511912345601", "52998224725"
ANA: dict[str, tuple[Kind, str]] = {
    "name": (Kind.NAME, NAME),
    "email": (Kind.EMAIL, EMAIL),
    "phone": (Kind.PHONE, PHONE),
    "tax_id": (Kind.TAX_ID, TAX_ID),
}
WHY = "a customer called"


def write(house: House, values: Values = ANA, contact_id: UUID | None = None, **given: Any) -> UUID:
    whole: dict[str, Any] = {"actor": SYSTEM, "reason": WHY} | given
    return people.write(house.organization, contact_id=contact_id or new_id(), values=values, **whole)


def read(house: House, person_id: UUID, **given: Any) -> PersonRecord:
    whole: dict[str, Any] = {"actor": SYSTEM, "reason": WHY} | given
    return people.read(house.organization, person_id, **whole)


def find(house: House, kind: Kind, value: str) -> list[UUID]:
    return people.find(house.organization, kind, value, actor=SYSTEM, reason=WHY)


def logged() -> list[tuple[str, UUID | None, list[str]]]:
    """Everything, oldest first."""
    return [(each.action, each.person_id, each.fields) for each in Access.across_organizations.order_by("id")]


def known_values(house: House, person_id: UUID, **given: Any) -> dict[str, str]:
    return {name: field.value for name, field in read(house, person_id, **given).values.items()}
