from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.audit_event import ActorKind
from apps.registration.vault.models.person import LONGEST_NAME
from apps.registration.vault.models.scoped import VaultModel


class Action(models.TextChoices):
    """What is said of each, in people's languages, the admin's accesses.py knows."""

    READ = "read"
    WRITTEN = "written"
    FOUND = "found"
    EXPORTED = "exported"
    ERASED = "erased"


class Access(VaultModel):
    """Who looked at somebody's data or changed it, and why: names of fields, never a value.

    It outlives the person: that somebody was erased, and who had seen them before, can be said afterwards.
    """

    # Empty for a search that found nobody.
    person_id = models.UUIDField(null=True)
    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("kind of actor"), max_length=10, choices=ActorKind)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(_("who"), max_length=255)
    action = models.CharField(_("action"), max_length=8, choices=Action)
    fields = ArrayField(models.CharField(max_length=LONGEST_NAME), verbose_name=_("fields"), default=list)
    reason = models.CharField(_("why"), max_length=200)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = 'vault"."access'
        verbose_name = _("access to personal data")
        verbose_name_plural = _("accesses to personal data")
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="vault_access_reason"),
        ]
        indexes = [
            # A person's, newest first.
            models.Index(fields=["organization_id", "person_id", "-id"], name="vault_access_person"),
            # An organization's, newest first.
            models.Index(fields=["organization_id", "-id"], name="vault_access_list"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action} {self.person_id}"
