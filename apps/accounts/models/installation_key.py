from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


class InstallationKey(models.Model):
    """The way in for programs of whoever runs the installation. Worth as much as the superuser who made it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(_("begins with"), max_length=20, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    # Without them it opens nothing any more, and is kept for the list.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        db_table = "installation_key"
        verbose_name = _("installation key")
        verbose_name_plural = _("installation keys")
        constraints = [
            # The look-up of who is asking.
            models.UniqueConstraint(fields=["prefix"], name="installation_key_prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
