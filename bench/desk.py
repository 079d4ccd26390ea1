"""Which pages of the admin people open, for every model that is registered: found by asking the admin itself.

A list plain, by its pages, by each of its filters and by what is written into its search box; the page of its
newest row; and what operators open besides. Needs Django.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import reverse

from apps.accounts.admin.long_tables.filters import SINCE, UNTIL, TextFilter, TimeFilter
from apps.accounts.admin.long_tables.table import LongTableAdmin
from apps.accounts.models import User
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.models import Conversation, DeadLetter, Message
from apps.operations.traffic.read import Period
from bench.archive import Archive
from bench.archive.messages import CODES, RARE_CODE, RARE_TEXT
from bench.archive.sql import ACCOUNTS_EACH, DAYS
from bench.figure import CannotMeasure

# Of a filter's values, so many from both ends.
_MOST_VALUES = 3
# Where nobody says how many pages there are, somebody turns so many.
_MOST_TURNED = 100


@dataclass(frozen=True, slots=True)
class Page:
    path: str
    # Whether it is of the dashboard; else it is of a list.
    is_dashboard: bool = False


def pages(archive: Archive, user: User) -> list[Page]:
    found = [*_dashboard(), *_messaging(archive)]
    for model, each in admin.site._registry.items():
        request = _request(user, "/")
        if each.has_view_permission(request):
            found += _list(archive, each, user)
            newest = each.get_queryset(request).order_by(*each.get_ordering(request)).first()
            if newest is not None:
                found.append(Page(_address(each, "change", newest.pk)))
        elif user.is_superuser:
            raise CannotMeasure(f"whoever runs the installation may not see {model}")
    return list(dict.fromkeys(found))


def _dashboard() -> Iterator[Page]:
    for name in ("admin:index", "overview"):
        for period in Period:
            yield Page(f"{reverse(name)}?{urlencode({'period': period})}", is_dashboard=True)


def _messaging(archive: Archive) -> Iterator[Page]:
    """Pages of a row that has most of what its page shows, and the one that counts what is alike."""
    organization = archive.biggest
    busy = _busy(archive)
    letters = DeadLetter.objects.for_organization(organization)
    newest = Message.objects.for_organization(organization).order_by("-pk")
    for model, row in (
        (Conversation, busy),
        (Message, newest.filter(status="delivered").first()),
        (DeadLetter, letters.filter(state="open").order_by("-pk").first()),
        (DeadLetter, letters.order_by("pk").first()),
    ):
        assert row is not None
        yield Page(_address(admin.site._registry[model], "change", row.pk))
    clear = reverse("admin:messaging_deadletter_clear")
    for more in ({}, {"kind": "transient"}, {"error_code": RARE_CODE[1], "exact": "on"}, {"failed_again": "yes"}):
        yield Page(f"{clear}?{urlencode({'action': 'replay', 'account': busy.account_id, **more})}")


def _list(archive: Archive, each: ModelAdmin[Any], user: User) -> Iterator[Page]:
    address = _address(each, "changelist")
    yield Page(address)
    request = _request(user, address)
    changelist: Any = each.get_changelist_instance(request)
    shown_pages = min(changelist.paginator.num_pages, _MOST_TURNED)
    if isinstance(each, LongTableAdmin):
        shown_pages = changelist.paginator.num_pages
    for number in {2, shown_pages}:
        if 1 < number <= shown_pages:
            yield Page(f"{address}?{urlencode({'p': number})}")
    asked = [query for spec in changelist.filter_specs for query in _filtered(spec, changelist)]
    asked += _together(archive, each, user)
    if each.search_fields:
        asked += [urlencode({"q": text}) for text in _texts(archive, each, request)]
    for query in asked:
        yield Page(f"{address}?{query}")


def _filtered(spec: Any, changelist: Any) -> list[str]:
    now = clock.now()
    if isinstance(spec, TimeFilter):
        old = now - timedelta(days=DAYS * 2 / 3)
        return [
            urlencode({UNTIL: _moment(old)}),
            urlencode({SINCE: _moment(old), UNTIL: _moment(old + timedelta(hours=1))}),
            urlencode({SINCE: _moment(now - timedelta(hours=1))}),
        ]
    if isinstance(spec, TextFilter):
        codes = (CODES[0][1], RARE_CODE[1], "none-has-this-code")
        return [urlencode({spec.parameter_name: code}) for code in codes]
    if hasattr(spec, "lookup_choices") and hasattr(spec, "parameter_name"):
        return [urlencode({spec.parameter_name: value}) for value, _title in _few(list(spec.lookup_choices))]
    choices = [choice["query_string"].removeprefix("?") for choice in spec.choices(changelist)]
    return [query for query in _few(choices) if query]


def _together(archive: Archive, each: ModelAdmin[Any], user: User) -> Iterator[str]:
    """What is rare, where more than one filter is asked; for a superuser also within an organization."""
    if not isinstance(each, LongTableAdmin):
        return
    offered = {getattr(one, "parameter_name", "") for one in each.get_list_filter(_request(user, "/"))}
    accounts = ChannelAccount.objects.for_organization(archive.biggest)
    rare = {
        "account": accounts.get(name=f"Account {ACCOUNTS_EACH}").pk,
        "code": RARE_CODE[1],
        "error": RARE_CODE[0],
        "status": "cancelled",
        "state": "discarded",
    }
    old = {UNTIL: _moment(clock.now() - timedelta(days=DAYS * 8 / 9))}
    within: list[dict[str, Any]] = [{}]
    if user.is_superuser:
        smaller = Message.across_organizations.exclude(organization=archive.biggest).order_by("pk").first()
        assert smaller is not None
        within += [{"organization": archive.biggest.pk}, {"organization": smaller.organization_id}]
        yield from (urlencode(one) for one in within[1:])
    for one in within:
        for name in rare.keys() & offered:
            yield urlencode({**one, name: rare[name]})
            yield urlencode({**one, name: rare[name], **old})
    if {"account", "status"} <= offered:
        yield urlencode({"account": rare["account"], "status": "expired"})


def _texts(archive: Archive, each: ModelAdmin[Any], request: HttpRequest) -> list[str]:
    messages = Message.objects.for_organization(archive.biggest)
    message = messages.exclude(reference="").exclude(provider_id=None).order_by("pk")[1000]
    words = [_busy(archive).address, "none has this name"]
    rows = each.get_queryset(request)
    newest = rows.order_by("-pk").first()
    if newest is not None:
        words += [str(newest.pk), str(newest)[:60]]
    if isinstance(each, LongTableAdmin):
        words += [str(message.pk), message.reference, str(message.provider_id), "Ana", "Your order", RARE_TEXT]
    return words


def _busy(archive: Archive) -> Conversation:
    """Of one in a hundred messages."""
    return Conversation.objects.for_organization(archive.biggest).order_by("pk")[0]


def _few[T](values: Sequence[T]) -> list[T]:
    many = len(values) > 2 * _MOST_VALUES
    return [*values[:_MOST_VALUES], *values[-_MOST_VALUES:]] if many else list(values)


def _moment(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


def _address(each: ModelAdmin[Any], name: str, *ids: Any) -> str:
    options = each.opts
    return reverse(f"admin:{options.app_label}_{options.model_name}_{name}", args=ids)


def _request(user: User, path: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.user = user
    request.session = {}  # type: ignore[assignment]
    return request
