"""What a stranger owns, and every word and number by which it would be known on a page."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.registration.vault.models import Person
from tests.accounts.somebody_elses import SOMEBODY_ELSES
from tests.cast import House
from tests.messaging import history

SHORTEST = 5
# Of somebody whom only this house knows.
SOMEBODY, ORDER = "+5521987654301", "order-1077"


def furnish(house: House) -> None:
    """With one of everything, and with somebody of its own."""
    for make in SOMEBODY_ELSES.values():
        make(house)
    slug = house.organization.slug
    message = history.queued(house, to=SOMEBODY if slug == "boreal" else history.ANA, reference=f"{slug}-{ORDER}")
    message.conversation.contact.name = f"Bruna of {slug}"
    message.conversation.contact.save()


def owned(organization: Organization) -> dict[type[Model], list[Any]]:
    """Every row that says whose it is; to be compared too: nobody else may have changed any."""
    models = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    found: dict[type[Model], list[Any]] = {
        model: list(model.across_organizations.filter(organization=organization).order_by("pk").values())
        for model in models
    }
    found[Organization] = list(Organization.objects.filter(pk=organization.pk).values())
    # The vault knows no other app's models.
    found[Person] = list(Person.across_organizations.filter(organization_id=organization.pk).values())
    return found


def traces_of(stranger: House, mine: House) -> frozenset[str]:
    """What is in rows of the one and in none of the other, in small letters."""
    theirs, ours = (_words_of(house) for house in (stranger, mine))
    return frozenset(theirs - ours)


def _words_of(house: House) -> set[str]:
    rows = [row for rows in owned(house.organization).values() for row in rows]
    members = [house.owner, house.admin, house.agent, house.viewer]
    words = {word for row in rows for value in row.values() for word in _words_in(value)}
    words |= {word for member in members for word in (member.user.email, str(member.user.pk))}
    # As people told it to the vault, which keeps it in no way that could be read here.
    words.add(f"Ana of {house.organization.slug}")
    return {word.lower() for word in words if len(word) >= SHORTEST}


def _words_in(value: Any) -> Iterator[str]:
    match value:
        case UUID():
            yield str(value)
            yield value.hex
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _words_in(each)
        case list() | tuple():
            for each in value:
                yield from _words_in(each)
