"""What templates say, with variables in their places: for a batch of messages, in a fixed number of statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels.content import Content

if TYPE_CHECKING:
    from apps.messaging.engine.new_message import WantedTemplate


@dataclass(frozen=True, slots=True)
class Wanted:
    """A template for somebody on a channel. `field` is where a caller named it."""

    template: "WantedTemplate"
    connector: str
    contact_id: UUID
    field: str


@dataclass(frozen=True, slots=True)
class Composed:
    content: Content
    category: str
    template_id: UUID


@dataclass(frozen=True, slots=True)
class Uncomposed:
    """`field` is what is wrong, `code` is for programs, `detail` says what to do."""

    field: str
    code: str
    detail: str


def compose(organization: Organization, wanted: Mapping[int, Wanted]) -> dict[int, Composed | Uncomposed]:
    return {
        n: Uncomposed(f"{each.field}/name", "unknown_template", _("There is no such template."))
        for n, each in wanted.items()
    }
