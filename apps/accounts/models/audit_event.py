from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.organization import Organization
from apps.accounts.tenancy import TenantModel


class ActorKind(models.TextChoices):
    USER = "user", _("person")
    API_KEY = "api_key", _("API key")
    SYSTEM = "system", _("system")


class AuditEvent(TenantModel):
    """Who changed what. Written in the transaction of the change, and never changed itself.

    Names are copied, not referenced: the trail outlives the people and the keys that it speaks of.
    """

    # Empty for what belongs to the installation and not to one organization, such as a person's log-in.
    organization = models.ForeignKey(  # type: ignore[assignment]
        Organization,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=_("organization"),
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor_kind = models.CharField(_("kind of actor"), max_length=10, choices=ActorKind.choices)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(_("who"), max_length=255)
    action = models.CharField(_("action"), max_length=60)
    target_kind = models.CharField(_("kind"), max_length=40)
    target_id = models.UUIDField()
    target_label = models.CharField(_("what"), max_length=255)
    # By field, the value before and the value after.
    changes = models.JSONField(_("changes"), default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(_("from"), null=True)

    class Meta:
        db_table = "audit_event"
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            # The trail of an organization, newest first.
            models.Index(fields=["organization", "-id"], name="audit_event_list"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action} {self.target_label}"
