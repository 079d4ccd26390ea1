"""Tenants never meet: a query that forgot its organization is an error, never an answer."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.db.models import Count, F, Q

from apps.accounts.models import Membership, Organization
from apps.accounts.roles import Role
from apps.accounts.tenancy import TenantModel, Unscoped
from tests.cast import House

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent

FORGOTTEN: dict[str, Callable[[Any], Any]] = {
    "iterate": list,
    "len": len,
    "bool": bool,
    "index": lambda queryset: queryset[0],
    "slice": lambda queryset: list(queryset[:5]),
    "get": lambda queryset: queryset.get(role=Role.OWNER),
    "first": lambda queryset: queryset.first(),
    "last": lambda queryset: queryset.last(),
    "latest": lambda queryset: queryset.latest("created_at"),
    "count": lambda queryset: queryset.count(),
    "exists": lambda queryset: queryset.exists(),
    "contains": lambda queryset: queryset.contains(Membership()),
    "iterator": lambda queryset: list(queryset.iterator()),
    "in_bulk": lambda queryset: queryset.in_bulk(),
    "aggregate": lambda queryset: queryset.aggregate(Count("pk")),
    "explain": lambda queryset: queryset.explain(),
    "values": lambda queryset: list(queryset.values("role")),
    "values_list": lambda queryset: list(queryset.values_list("role")),
    "dates": lambda queryset: list(queryset.dates("created_at", "day")),
    "annotate": lambda queryset: list(queryset.annotate(n=F("role"))),
    "update": lambda queryset: queryset.update(role=Role.OWNER),
    "delete": lambda queryset: queryset.delete(),
    "filtered delete": lambda queryset: queryset.filter(role=Role.VIEWER).delete(),
    "get_or_create": lambda queryset: queryset.get_or_create(role=Role.OWNER),
    "update_or_create": lambda queryset: queryset.update_or_create(role=Role.OWNER),
    "subquery": lambda queryset: list(Organization.objects.filter(pk__in=queryset.values("organization"))),
    "exists subquery": lambda queryset: list(Organization.objects.filter(models.Exists(queryset))),
    "union": lambda queryset: list(queryset.union(queryset)),
    "raw": lambda queryset: list(queryset.raw("SELECT * FROM membership")),
    "lock": lambda queryset: list(queryset.select_for_update()),
    "alias": lambda queryset: list(queryset.alias(n=F("role")).order_by("n")),
}


@pytest.mark.parametrize("evaluate", FORGOTTEN.values(), ids=FORGOTTEN.keys())
def test_query_that_forgot_its_organization_is_refused(aurora: House, evaluate: Callable[[Any], Any]) -> None:
    with pytest.raises(Unscoped):
        evaluate(Membership.objects.all())
    assert Membership.across_organizations.count() == 4


async def test_asynchronous_query_that_forgot_its_organization_is_refused() -> None:
    with pytest.raises(Unscoped):
        await Membership.objects.acount()
    with pytest.raises(Unscoped):
        [each async for each in Membership.objects.all()]


def test_scoped_query_sees_one_organization(aurora: House, boreal: House) -> None:
    scoped = Membership.objects.for_organization(aurora.organization)
    assert scoped.count() == 4
    assert {each.organization_id for each in scoped.filter(~Q(role="x")).order_by("role")} == {
        aurora.organization.id
    }
    assert scoped.filter(role=Role.VIEWER).delete()[0] == 1
    assert Membership.across_organizations.count() == 7


def test_union_with_a_forgotten_organization_is_refused(aurora: House) -> None:
    scoped = Membership.objects.for_organization(aurora.organization)
    with pytest.raises(Unscoped):
        list(scoped.union(Membership.objects.all()))
    with pytest.raises(Unscoped):
        list(scoped | Membership.objects.all())
    with pytest.raises(Unscoped):
        list(scoped ^ Membership.objects.all())


def owned_models() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        and any(field.name == "organization" for field in model._meta.fields)
    ]


def test_everything_that_an_organization_owns_is_scoped() -> None:
    assert owned_models()
    for model in owned_models():
        assert issubclass(model, TenantModel), f"{model.__name__} has an organization and is no TenantModel"
        assert model._meta.managers[0].name == "across_organizations"
        with pytest.raises(Unscoped):
            model.objects.count()


def test_framework_shortcuts_around_the_scope_are_used_nowhere() -> None:
    """`_default_manager` and `_base_manager` see every organization without saying so."""
    allowed = {"apps/accounts/expiry.py"}
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "apps").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"_default_manager", "_base_manager"}
    ]
    assert set(offenders) <= allowed
