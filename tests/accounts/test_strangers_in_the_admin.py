"""Whoever works in one organization sees nothing of another, on any page of the admin there is or will be.

What is asked comes from the admin itself: a page that is added is asked too.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import ForeignKey, Model
from django.test import Client
from django.urls import URLPattern, reverse
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.accounts.tenancy import TenantModel
from apps.messaging.models import Contact, Message
from apps.registration.vault.models import Person
from tests.accounts.strangers import ORDER, SOMEBODY, furnish, owned, traces_of
from tests.cast import House
from tests.messaging.operators import browser

pytestmark = pytest.mark.django_db
REFUSED = {302, 400, 403, 404, 405}
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


class Snoop:
    """A member of one organization who knows the ids of all things of another, and asks for them."""

    def __init__(self, role: Role, mine: House, stranger: House) -> None:
        self.role, self.mine, self.stranger = role, mine, stranger
        self.client = browser(getattr(mine, role.value).user)
        self.traces = traces_of(stranger, mine)
        self.said: list[str] = []

    def get(self, url: str, **data: Any) -> Any:
        return self._look(self.client.get(url, data), url, data)

    def post(self, url: str, **data: Any) -> Any:
        return self._look(self.client.post(url, data), url, data)

    def refused(self, url: str, **data: Any) -> None:
        """It is there for nobody from elsewhere, whatever they would do with it."""
        for method, more in ((self.get, {}), (self.post, {}), (self.post, _YES)):
            answer = method(url, **data, **more)
            assert answer.status_code in REFUSED, f"{url}: {answer.status_code}"
            self.follow(answer)

    def follow(self, answer: Any) -> None:
        while answer.status_code == 302:
            if answer["Location"] == reverse("admin:index"):
                # Where whoever asks for what does not exist is led, which names what they asked for.
                self.client.cookies.pop("messages", None)
                return
            answer = self.get(answer["Location"])

    def _look(self, answer: Any, url: str, data: dict[str, Any]) -> Any:
        assert answer.status_code in REFUSED | {200}, f"{url}: {answer.status_code}"
        # Somebody's own words come back to them: in the search box, in the links to the next page, and on the page
        # that they are sent to because there is no such thing.
        words = unquote_plus(url + urlencode(data, doseq=True)).lower()
        # As far as those pages lead on.
        self.said = [*self.said[-3:], words]
        page = b"".join(answer) if answer.streaming else answer.content
        text = f"{page.decode(errors='replace')} {answer.headers}".lower()
        seen = {trace for trace in self.traces if trace in text and trace not in " ".join(self.said)}
        assert not seen, f"{url} {data}: {seen}"
        changelist = (getattr(answer, "context", None) or {}).get("cl")
        if changelist is not None:
            for row in changelist.result_list:
                owner = getattr(row, "organization_id", self.mine.organization.pk)
                assert owner == self.mine.organization.pk, f"{url}: {row}"
        return answer


# What forms of confirmation and of exports send.
_YES = {"post": "yes", "reason": "because", "act": "json", "text": "x", "until": ""}

ADMINS = {model: each for model, each in admin.site._registry.items() if issubclass(model, TenantModel)}


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def theirs(model: type[Model], stranger: House) -> str:
    """Something of this kind that the stranger owns. There must be one, or nothing is proved."""
    if issubclass(model, TenantModel):
        found = model.across_organizations.filter(organization=stranger.organization).order_by("pk").first()
        assert found is not None, f"{model.__name__}: SOMEBODY_ELSES makes none"
        return str(found.pk)
    if model is User:
        return str(stranger.owner.user_id)
    return str(stranger.organization.pk)


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


# Who may do the most, each time; the others where there is time.
ROLES = [
    pytest.param(role, id=role.value, marks=[pytest.mark.long] if role is not Role.OWNER else []) for role in Role
]


@pytest.fixture(params=ROLES)
def snoop(request: pytest.FixtureRequest, aurora: House, boreal: House) -> Iterator[Snoop]:
    """Afterwards nothing of the stranger's was changed, and nothing leads to it."""
    for house in (aurora, boreal):
        furnish(house)
    one = Snoop(request.param, aurora, boreal)
    before = owned(boreal.organization)
    yield one
    assert owned(boreal.organization) == before
    assert one.said
    for model in ADMINS:
        for field in foreign_keys(model):
            target: Any = field.related_model
            if issubclass(target, TenantModel):
                mine = model.across_organizations.filter(organization=aurora.organization)
                assert not mine.filter(**{f"{field.name}__organization": boreal.organization}).exists()


def foreign_keys(model: type[Model]) -> list[ForeignKey[Any, Any]]:
    return [field for field in model._meta.fields if isinstance(field, ForeignKey)]


def ids_of(stranger: House) -> dict[str, str]:
    """By how an address calls it."""
    named = {str(model._meta.model_name): theirs(model, stranger) for model in ADMINS}
    return named | {"organization": str(stranger.organization.pk)}


def test_lists_show_nothing_of_a_stranger(snoop: Snoop) -> None:
    for model in admin.site._registry:
        snoop.get(list_of(model))
        snoop.get(list_of(model), _popup="1", _to_field="id")
    for label in {model._meta.app_label for model in admin.site._registry}:
        snoop.get(reverse("admin:app_list", args=[label]))
    for name in ("admin:index", "overview", "live"):
        snoop.get(reverse(name))
    snoop.get(reverse("overview"), organization=str(snoop.stranger.organization.pk))


def choices_of(client: Client, model: type[Model]) -> set[tuple[str, str]]:
    """What the filters of a list offer to this person, in links and in fields."""
    answer = client.get(list_of(model))
    if answer.status_code != 200:
        return set()
    text = answer.content.decode()
    links = {
        pair for href in re.findall(r'href="\?([^"]+)"', text) for pair in parse_qsl(href.replace("&amp;", "&"))
    }
    fields = {
        (name, value)
        for name, inner in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL)
        for value in re.findall(r'<option value="([^"]+)"', inner)
    }
    return {pair for pair in links | fields if pair[0] not in {"o", "p", "action", "all"}}


def test_filters_offer_and_find_nothing_of_a_stranger(snoop: Snoop) -> None:
    stranger_at_home = browser(snoop.stranger.owner.user)
    ids = ids_of(snoop.stranger)
    were_theirs = set()
    for model in ADMINS:
        for name, value in choices_of(snoop.client, model) if snoop.role is Role.OWNER else ():
            snoop.get(list_of(model), **{name: value})
        # What is offered to the stranger; and what an address could say of the kinds of things it leads to.
        wanted = {pair for pair in choices_of(stranger_at_home, model) if pair[1].lower() in snoop.traces}
        were_theirs |= {name for name, _ in wanted}
        for field in foreign_keys(model):
            key = ids.get(str(field.related_model._meta.model_name))
            if key:
                wanted |= {(f"{field.name}{lookup}", key) for lookup in ("", "__id__exact", "__exact")}
        wanted |= {("id", theirs(model, snoop.stranger)), ("pk__in", theirs(model, snoop.stranger))}
        for name, value in wanted:
            snoop.get(list_of(model), **{name: value})
    assert {"account", "assignee", "label", "template", "endpoint"} <= were_theirs


def test_search_finds_nothing_of_a_stranger(snoop: Snoop) -> None:
    slug = snoop.stranger.organization.slug
    names = [slug, SOMEBODY, f"{slug}-{ORDER}"]
    for model in ADMINS:
        for words in (*names, theirs(model, snoop.stranger)):
            snoop.get(list_of(model), q=words)
    for model in (Contact, Message):
        for words in (f"Bruna of {slug}", f"A word from {slug}"):
            snoop.get(list_of(model), q=words)
    for words in (*names, theirs(Message, snoop.stranger)):
        snoop.get(reverse("admin:search"), s=words)


# No field of ours is looked up so, and none says in which order.
@pytest.mark.filterwarnings("ignore::django.core.paginator.UnorderedObjectListWarning")
def test_fields_that_look_things_up_offer_nothing_of_a_stranger(snoop: Snoop) -> None:
    for model in admin.site._registry:
        for field in foreign_keys(model):
            source = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field.name,
            }
            for words in ("", snoop.stranger.organization.slug, SOMEBODY):
                snoop.get(reverse("admin:autocomplete"), **source, term=words)


def pages_of(model: type[Model], each: Any) -> Iterator[tuple[str, list[str]]]:
    """Their addresses below the list's, with the names of what they are about."""
    for pattern in each.get_urls():
        if isinstance(pattern, URLPattern):
            route = str(pattern.pattern)
            yield list_of(model) + route, _ARGUMENT.findall(route)


def filled(address: str, **arguments: str) -> str:
    """`object_id` stands for whatever else it is called."""
    return _ARGUMENT.sub(lambda found: arguments.get(found[1], arguments["object_id"]), address)


def test_things_of_a_stranger_do_not_exist(snoop: Snoop) -> None:
    stranger = snoop.stranger
    person = people_of(stranger)[0]
    for model, each in admin.site._registry.items():
        one = theirs(model, stranger)
        for address, arguments in pages_of(model, each):
            if not arguments:
                continue
            # One's own organization has no such thing either.
            for house in (stranger, snoop.mine) if "organization_id" in arguments else (stranger,):
                known = {"organization_id": str(house.organization.pk), "person_id": person, "object_id": one}
                if house is stranger or "person_id" in arguments:
                    snoop.refused(filled(address, **known))
    snoop.refused(reverse("admin:enter_organization", args=[stranger.organization.pk]))
    for model in ADMINS:
        kind = ContentType.objects.get_for_model(model)
        snoop.refused(f"/admin/r/{kind.pk}/{theirs(model, stranger)}/")


def people_of(house: House) -> list[str]:
    people = Person.across_organizations.filter(organization_id=house.organization.pk)
    return [str(pk) for pk in people.values_list("pk", flat=True)]


def test_pages_about_nothing_in_particular_take_nothing_of_a_stranger(snoop: Snoop) -> None:
    ids = ids_of(snoop.stranger)
    for model, each in ADMINS.items():
        one = theirs(model, snoop.stranger)
        meant = {"ids": one, "id": one, "action": "replay", "connector": "telegram", **ids}
        meant |= {
            field.name: ids[name]
            for field in foreign_keys(model)
            if (name := str(field.related_model._meta.model_name)) in ids
        }
        for address, arguments in pages_of(model, each):
            if not arguments:
                snoop.get(address, **meant)
                snoop.post(f"{address}?{urlencode(meant)}", **meant, **_YES, per_second="50")


def test_actions_on_many_touch_nothing_of_a_stranger(snoop: Snoop) -> None:
    tried = set()
    for model in ADMINS:
        text = snoop.get(list_of(model)).content.decode()
        for inner in re.findall(r'<select[^>]* name="action".*?</select>', text, re.DOTALL):
            for name in re.findall(r'<option value="([^"]+)"', inner):
                tried.add(name)
                chosen = {"action": name, "_selected_action": theirs(model, snoop.stranger), "index": "0"}
                for more in ({}, {"post": "yes"}):
                    answer = snoop.post(list_of(model), **chosen, **more)
                    snoop.follow(answer)
    if snoop.client.get(reverse("admin:messaging_deadletter_clear")).status_code == 200:
        assert {"replay_selected", "discard_selected"} <= tried
