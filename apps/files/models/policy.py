from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel


class StoragePolicy(TenantModel):
    """What an organization may keep and for how long. Where it has none, the installation's settings hold."""

    largest_bytes = models.BigIntegerField(
        _("largest file"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("In bytes. Never more than the installation allows."),
    )  # fmt: skip
    most_bytes = models.BigIntegerField(
        _("all files together"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("In bytes. Empty: no limit."),
    )  # fmt: skip
    keep_days = models.PositiveIntegerField(
        _("days that files are kept"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("After that they are removed, also where messages refer to them. Empty: for ever."),
    )  # fmt: skip
    unused_days = models.PositiveIntegerField(
        _("days that unused files are kept"), null=True, blank=True, validators=[MinValueValidator(1)],
        help_text=_("Files that no message refers to. Empty: as the installation says."),
    )  # fmt: skip
    # Of all files of the organization; counted here as they come and go.
    stored_bytes = models.BigIntegerField(_("bytes stored"), default=0, editable=False)

    class Meta:
        db_table = "storage_policy"
        verbose_name = _("storage policy")
        verbose_name_plural = _("storage policies")
        constraints = [
            # Also serves the look-up.
            models.UniqueConstraint(fields=["organization"], name="storage_policy_once"),
        ]

    def __str__(self) -> str:
        return str(self.organization_id)
