"""The one way to read what belongs to an organization.

    Message.objects.for_organization(organization).filter(…)     what code writes
    Message.objects.filter(…)                                    raises Unscoped when it is evaluated
    Message.across_organizations.filter(…)                       says what it does, for reviewers to find

Forgetting the scope is an error in the first test that touches the line, not a leak.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models

from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import Organization


class Unscoped(Exception):
    """A query over many organizations was about to run. Add .for_organization(organization)."""


class TenantQuerySet[T: models.Model](models.QuerySet[T]):
    _is_scoped = False

    def for_organization(self, organization: "Organization") -> Self:
        scoped = self.filter(organization=organization)
        scoped._is_scoped = True
        return scoped

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._is_scoped = self._is_scoped
        return clone

    def _check_scope(self) -> None:
        if not self._is_scoped:
            raise Unscoped(
                f"{self.model.__name__}.objects was read without an organization. "
                "Add .for_organization(organization)."
            )


def _checked(name: str) -> Callable[..., Any]:
    def method(self: TenantQuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        self._check_scope()
        return getattr(super(TenantQuerySet, self), name)(*args, **kwargs)

    method.__name__ = name
    return method


# Every way in which a QuerySet reaches the database, or another query.
EVALUATIONS = (
    "_fetch_all", "aggregate", "count", "delete", "_raw_delete", "exists", "contains", "explain", "iterator",
    "aiterator", "in_bulk", "raw", "resolve_expression", "update", "_update", "_combinator_query",
)  # fmt: skip
for _name in EVALUATIONS:
    setattr(TenantQuerySet, _name, _checked(_name))


class TenantManager[T: models.Model](models.Manager[T]):
    def get_queryset(self) -> TenantQuerySet[T]:
        return TenantQuerySet(self.model, using=self._db)

    def for_organization(self, organization: "Organization") -> TenantQuerySet[T]:
        return self.get_queryset().for_organization(organization)


class TenantModel(models.Model):
    """What belongs to one organization. The subclass's table starts its indexes with `organization`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="+")

    # First, and so Django's default: what its own machinery uses (validation, related objects, the admin,
    # whose querysets our ModelAdmin scopes).
    across_organizations: ClassVar[models.Manager[Self]] = models.Manager()
    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True
