from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel


class ApiKey(TenantModel):
    """A program's way in. Only a digest is kept: the key itself is shown once, when it is made."""

    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(_("begins with"), max_length=20, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    replaces = models.OneToOneField(
        "self", null=True, editable=False, on_delete=models.SET_NULL, related_name="replaced_by"
    )

    class Meta:
        db_table = "api_key"
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            # The look-up of who is asking, on every request with a key.
            models.UniqueConstraint(fields=["prefix"], name="api_key_prefix"),
        ]
        indexes = [
            # The list of an organization's keys, newest first.
            models.Index(fields=["organization", "-id"], name="api_key_list"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
