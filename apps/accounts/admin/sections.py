"""What there is to say of an organization on its page: a section each, which apps above this one register too."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from apps.accounts.acting import acting_principal, principal_for
from apps.accounts.models import Organization
from apps.accounts.roles import Scope

# As HTML, whoever asks may know of it.
type Words = Callable[[HttpRequest, Organization], str]


@dataclass(frozen=True, slots=True)
class _Section:
    # Where on the page: the smallest is first.
    place: int
    scope: Scope
    words: Words


_sections: list[_Section] = []


def register(words: Words, *, place: int, scope: Scope) -> None:
    _sections.append(_Section(place, scope, words))
    _sections.sort(key=lambda each: each.place)


def sections_of(request: HttpRequest, organization: Organization) -> list[str]:
    """Those that this person may see."""
    principal = principal_for(request, organization)
    return [each.words(request, organization) for each in _sections if principal.may(each.scope)]


def listed(request: HttpRequest, url: str, organization: Organization, **filters: str) -> str:
    """The address of a list, of this organization only also where somebody sees all of them."""
    more = {} if acting_principal(request) else {"organization__id__exact": str(organization.pk)}
    query = urlencode(filters | more)
    return f"{url}?{query}" if query else url
