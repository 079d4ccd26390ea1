"""Whom an organization writes to: people, and the addresses at which they are reached."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.functions import Collate, Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.channels.addresses import is_possible, normalized, what_is_wrong
from apps.channels.capabilities import AddressKind
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.core.api.problems import Conflict, field_error
from apps.messaging.consent import suppressions
from apps.messaging.conversations import lock
from apps.messaging.models import ConsentSource, Contact, ContactAddress, Conversation, MergedContact
from apps.messaging.signals import contacts_merged

MOST_NAMED = 200
MOST_ADDRESSES = 20
CHANGEABLE = ("name", "language", "time_zone")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")

# One way to reach somebody: a kind, and an address as it is looked up.
type Way = tuple[AddressKind, str]


class AddressTaken(Conflict):
    """Tells whose it is in `contact_id`."""

    default_code = "address_taken"
    default_detail = gettext_lazy("Somebody else is reached at this address. Merge the two if they are one.")


class TooManyAddresses(Conflict):
    default_code = "too_many_addresses"
    default_detail = gettext_lazy("A person has at most twenty addresses. Remove one that is not used any more.")


def reached_at(organizations: Sequence[UUID], address: str) -> list[UUID]:
    """Who has this address, of any kind; one look into an index for each."""
    reached = ContactAddress.across_organizations.filter(
        organization__in=organizations, kind__in=list(AddressKind), value=normalized(address)
    )
    return list(reached.values_list("contact_id", flat=True))


def named(organizations: Sequence[UUID], beginning: str) -> list[UUID]:
    """Whose name begins so, the first in the alphabet; of very many, not all. One range of an index."""
    people = Contact.across_organizations.filter(organization__in=organizations)
    people = people.alias(sorted_name=Collate(Lower("name"), "C")).order_by("sorted_name")
    return list(people.filter(sorted_name__startswith=beginning.lower()).values_list("pk", flat=True)[:MOST_NAMED])


def check_language(text: str) -> None:
    if not _LANGUAGE.fullmatch(text.lower()):
        raise ValidationError(_("This is no language: they look like pt-br or en."), code="invalid")


def check_time_zone(text: str) -> None:
    if text not in _time_zones():
        raise ValidationError(_("This is no time zone: they look like America/Sao_Paulo."), code="invalid")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def way(kind: str, address: str) -> Way:
    """Raises a ValidationError about `value` where nobody can be there."""
    known, address = AddressKind(kind), normalized(address)
    if not is_possible(known, address):
        raise ValidationError({"value": ValidationError(what_is_wrong(known), code="bad_address")})
    return known, address


@transaction.atomic
def add(
    principal: Principal, *, name: str = "", language: str = "", time_zone: str = "", ways: Sequence[Way] = ()
) -> Contact:
    contact = Contact.across_organizations.create(
        organization=principal.organization, name=name, language=language.lower(), time_zone=time_zone
    )
    _reach(contact, ways)
    _record(principal, "added", contact, addresses=(None, _in_words(ways)))
    return contact


@transaction.atomic
def change(principal: Principal, contact: Contact, **values: Any) -> Contact:
    """What is not named stays as it is, also what others changed since the contact was read."""
    contact = _locked(principal, {contact.pk})[contact.pk]
    before = audit.snapshot(contact, CHANGEABLE)
    for name, value in values.items():
        setattr(contact, name, value.lower() if name == "language" else value)
    changes = audit.difference(before, contact)
    if changes:
        contact.save(update_fields=list(changes))
        _record(principal, "changed", contact, **changes)
    return contact


@transaction.atomic
def add_address(principal: Principal, contact: Contact, way: Way) -> ContactAddress:
    """Adding one that the person has already is no mistake. The conversations at the address go with it."""
    _locked(principal, {contact.pk})
    own = ContactAddress.objects.for_organization(principal.organization).filter(contact=contact)
    kind, value = way
    found = own.filter(kind=kind, value=value).first()
    if found is None:
        if own.count() >= MOST_ADDRESSES:
            raise TooManyAddresses
        (found,) = _reach(contact, [way])
        _record(principal, "address_added", contact, address=(None, _in_words([way])))
    return found


@transaction.atomic
def remove_address(principal: Principal, address: ContactAddress) -> None:
    """What was said there stays in the person's conversations; whoever has left stays unwritten to."""
    if address.contact.left_at is not None:
        suppressions.add(principal.organization.id, address.kind, [address.value], ConsentSource.OPERATOR)
    way = AddressKind(address.kind), address.value
    _record(principal, "address_removed", address.contact, address=(_in_words([way]), None))
    address.delete()


@transaction.atomic
def merge(principal: Principal, merged: Contact, into: Contact) -> Contact:
    """Two contacts turn out to be one person: `merged` is gone afterwards, and all it had is the other's.

    What either of them refused stays refused. Locks are taken in the order in which accepting messages takes
    them: addresses, conversations, people.
    """
    if merged.pk == into.pk:
        raise field_error("into", "same_contact", _("This is the same contact."))
    both = [merged.pk, into.pk]
    organization = principal.organization
    addresses = ContactAddress.objects.for_organization(organization).filter(contact__in=both)
    list(addresses.order_by("kind", "value").select_for_update(no_key=True).values_list("pk"))
    lock(Conversation.objects.for_organization(organization).filter(contact__in=both))
    people = _locked(principal, set(both))
    merged, into = people[merged.pk], people[into.pk]
    before = audit.snapshot(into, _UNITED)
    _unite(merged, into)
    into.save(update_fields=_UNITED)
    for model, field in _referring():
        model.across_organizations.filter(**{field: merged}).update(**{field: into})
    with connection.cursor() as cursor:
        # By hand: Django would delete with it whatever came to it this moment. The database refuses instead.
        cursor.execute("DELETE FROM contact WHERE id = %s", [merged.pk])
    MergedContact.across_organizations.create(id=merged.pk, organization=organization, contact=into)
    contacts_merged.send(sender=None, organization=organization, merged_id=merged.pk, into_id=into.pk)
    _record(principal, "merged", into, merged=(merged.pk, None), **audit.difference(before, into))
    return into


def _referring() -> Iterator[tuple[Any, str]]:
    """Models of all apps that refer to contacts, and by which field; also those that contacts know nothing of."""
    for relation in Contact._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):
            yield relation.related_model, relation.field.name


def now_known_as(contact_id: UUID) -> Contact | None:
    """The contact, or whoever it became part of. For links that were signed when they were sent."""
    people = Contact.across_organizations.select_related("organization")
    earlier = MergedContact.across_organizations.filter(pk=contact_id).values("contact")
    return people.filter(Q(pk=contact_id) | Q(pk__in=earlier)).first()


_UNITED = (*CHANGEABLE, "refused_categories", "refused_channels", "left_at", "quiet_from", "quiet_until")


def _unite(merged: Contact, into: Contact) -> None:
    for name in CHANGEABLE:
        setattr(into, name, getattr(into, name) or getattr(merged, name))
    for name in ("refused_categories", "refused_channels"):
        setattr(into, name, sorted({*getattr(into, name), *getattr(merged, name)}))
    into.left_at = min((left for left in (into.left_at, merged.left_at) if left is not None), default=None)
    if into.quiet_from is None and into.quiet_until is None:
        into.quiet_from, into.quiet_until = merged.quiet_from, merged.quiet_until


def _locked(principal: Principal, ids: set[UUID]) -> dict[UUID, Contact]:
    """As they are now, in the order of their ids. Who only refers to them, as a consent does, need not wait."""
    contacts = Contact.objects.for_organization(principal.organization).filter(pk__in=ids)
    found = {contact.pk: contact for contact in contacts.order_by("pk").select_for_update(no_key=True)}
    if found.keys() != ids:
        raise NotFound
    return found


def _reach(contact: Contact, ways: Sequence[Way]) -> list[ContactAddress]:
    """A conversation is with whoever is reached at its address, so those that there are go with it."""
    rows = [
        ContactAddress(organization_id=contact.organization_id, contact=contact, kind=kind, value=value)
        for kind, value in sorted(set(ways))
    ]
    try:
        with transaction.atomic():
            ContactAddress.across_organizations.bulk_create(rows)
    except IntegrityError as error:
        raise AddressTaken(contact_id=_whose(contact.organization_id, ways)) from error
    conversations = _conversations_at(contact.organization_id, ways)
    if conversations is not None:
        others = Conversation.across_organizations.filter(conversations).exclude(contact=contact)
        others.filter(pk__in=lock(others)).update(contact=contact)
    return rows


def _whose(organization_id: UUID, ways: Iterable[Way]) -> UUID | None:
    """None where they have just gone."""
    taken = Q(pk__in=[])
    for kind, value in ways:
        taken |= Q(kind=kind, value=value)
    rows = ContactAddress.across_organizations.filter(taken, organization=organization_id)
    return rows.order_by("kind", "value").values_list("contact_id", flat=True).first()


def _conversations_at(organization_id: UUID, ways: Iterable[Way]) -> Q | None:
    """For each account, a look into the index of its addresses."""
    values: dict[str, list[str]] = defaultdict(list)
    for kind, value in ways:
        values[kind].append(value)
    accounts = ChannelAccount.across_organizations.filter(organization=organization_id)
    at = None
    for account_id, name in accounts.values_list("pk", "connector"):
        kind = connector_class(name).capabilities.address
        if kind in values:
            here = Q(account=account_id, address__in=values[kind])
            at = here if at is None else at | here
    return at


def _in_words(ways: Iterable[Way]) -> list[str]:
    return [f"{kind}:{value}" for kind, value in ways]


def _record(principal: Principal, action: str, contact: Contact, **changes: tuple[Any, Any]) -> None:
    audit.record(
        principal.actor, f"contact.{action}", contact, organization=principal.organization, changes=changes
    )
