"""The one way to read what belongs to an organization.

    Message.objects.for_organization(organization).filter(…)     what code writes
    Message.objects.filter(…)                                    raises Unscoped when it is evaluated
    Message.across_organizations.filter(…)                       says what it does, for reviewers to find

Forgetting the scope is an error in the first test that touches the line, not a leak.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models.organization import Organization


class Unscoped(Exception):
    """A query over many organizations was about to run. Add .for_organization(organization)."""


class TenantQuery(Query):
    """Refuses to become SQL, alone or inside another query, until it is scoped."""

    is_scoped = False  # Django copies it to every query that is made from this one

    def check_scope(self) -> None:
        if not self.is_scoped:
            name = self.model.__name__ if self.model else "?"
            raise Unscoped(
                f"{name}.objects was read without an organization. Add .for_organization(organization)."
            )

    def get_compiler(self, *args: Any, **kwargs: Any) -> SQLCompiler:
        self.check_scope()
        compiler: SQLCompiler = super().get_compiler(*args, **kwargs)
        return compiler


class TenantQuerySet[T: models.Model](models.QuerySet[T]):
    query: TenantQuery

    def __init__(self, model: type[T] | None = None, query: Query | None = None, **kwargs: Any) -> None:
        super().__init__(model, query or TenantQuery(model), **kwargs)

    def for_organization(self, organization: "Organization") -> Self:
        scoped = self.filter(organization=organization)
        scoped.query.is_scoped = True
        return scoped

    # What reaches the database by another kind of query than ours, or could widen a scoped one.

    def update(self, **values: Any) -> int:
        self.query.check_scope()
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        self.query.check_scope()
        return super().delete()

    def raw(self, *_args: Any, **_kwargs: Any) -> Any:
        raise Unscoped("SQL written by hand names its organization itself. Use a cursor, or across_organizations.")

    def __or__(self, other: Any) -> Self:
        other.query.check_scope()
        return super().__or__(other)

    def __xor__(self, other: Any) -> Self:
        other.query.check_scope()
        return super().__xor__(other)


class TenantManager[T: models.Model](models.Manager[T]):
    def get_queryset(self) -> TenantQuerySet[T]:
        return TenantQuerySet(self.model, using=self._db)

    def for_organization(self, organization: "Organization") -> TenantQuerySet[T]:
        return self.get_queryset().for_organization(organization)


class TenantModel(models.Model):
    """What belongs to one organization. The subclass's table starts its indexes with `organization`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.CASCADE,
        related_name="+",
        # Each table's own indexes start with it; one more would only be written.
        db_index=False,
    )

    # First, and so Django's default: what its own machinery uses (validation, related objects, the admin,
    # whose querysets our ModelAdmin scopes).
    across_organizations: ClassVar[models.Manager[Self]] = models.Manager()
    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True
