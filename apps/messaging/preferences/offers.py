"""What a person may choose from: what this organization writes about, and the ways in which it reaches them."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils.text import capfirst

from apps.channels.models import ChannelAccount
from apps.channels.registry import NAMES, connector_class
from apps.messaging.consent import suppressions
from apps.messaging.consent.addresses import KINDS, masked
from apps.messaging.consent.suppressions import OWN_SOURCES
from apps.messaging.models import Contact, ContactAddress, Conversation, Suppression, Template
from apps.messaging.statuses import Category

# Those that every organization has; what was ordered or asked for is no choice.
ALWAYS = (Category.BILLING, Category.MARKETING)
_NO_CHOICE = (Category.TRANSACTIONAL, Category.SERVICE)
MOST_CATEGORIES = 100


def category_in_words(category: str) -> str:
    known = dict(Category.choices).get(category)
    return str(capfirst(str(known) if known else category.replace("_", " ")))


def categories(contact: Contact) -> list[tuple[str, str]]:
    """The organization's own are those of its templates, and whatever the person has refused before."""
    templates = Template.across_organizations.filter(organization=contact.organization_id, archived_at=None)
    used = templates.exclude(category__in=_NO_CHOICE).values_list("category", flat=True).distinct()
    own = {*used[:MOST_CATEGORIES], *contact.refused_categories} - {*ALWAYS, *_NO_CHOICE}
    return [(category, category_in_words(category)) for category in (*ALWAYS, *sorted(own))]


def channels(contact: Contact, addresses: Sequence[ContactAddress]) -> list[tuple[str, str]]:
    """Over which the person has an address or a conversation."""
    kinds = {each.kind for each in addresses}
    possible = [name for name in NAMES if connector_class(name).capabilities.address in kinds]
    spoken = Conversation.across_organizations.filter(contact=contact).values("account")
    accounts = ChannelAccount.across_organizations.filter(organization=contact.organization_id)
    used = accounts.filter(Q(connector__in=possible) | Q(pk__in=spoken)).values_list("connector", flat=True)
    names = {*used.distinct(), *contact.refused_channels} & {*NAMES}
    return sorted(((name, str(connector_class(name).label)) for name in names), key=lambda each: each[1])


class Addresses:
    """Where the person is reached: masked, and whether they are still written to there."""

    def __init__(self, contact: Contact) -> None:
        self.all = list(ContactAddress.across_organizations.filter(contact=contact).order_by("kind", "value"))
        pairs = [(each.kind, each.value) for each in self.all]
        stopped = list(suppressions.of_addresses(contact.organization_id, pairs).filter(category=""))
        self.stopped = [_in_words(each) for each in stopped if each.source in OWN_SOURCES]
        self.stopped_by_others = [_in_words(each) for each in stopped if each.source not in OWN_SOURCES]

    @property
    def in_words(self) -> list[str]:
        return [_in_words(each) for each in self.all]


def _in_words(address: ContactAddress | Suppression) -> str:
    return f"{KINDS.get(address.kind, address.kind)} {masked(address.kind, address.value)}"
