from typing import ClassVar, Self

from django.db import models

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantManager, TenantQuerySet
from apps.core.ids import new_id


class VaultQuerySet[T: models.Model](TenantQuerySet[T]):
    def for_organization(self, organization: Organization) -> Self:
        scoped = self.filter(organization_id=organization.id)
        scoped.query.is_scoped = True
        return scoped


class VaultManager[T: models.Model](TenantManager[T]):
    def get_queryset(self) -> VaultQuerySet[T]:
        return VaultQuerySet(self.model, using=self._db)


class VaultModel(models.Model):
    """As scoped as a TenantModel, but with no foreign key out of the schema: the vault can move elsewhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization_id = models.UUIDField()

    across_organizations: ClassVar[models.Manager[Self]] = models.Manager()
    objects: ClassVar[VaultManager[Self]] = VaultManager()

    class Meta:
        abstract = True
