from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


class Organization(models.Model):
    """A tenant. Everything that belongs to somebody belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(
        _("short name"), max_length=60, help_text=_("Lower-case letters, digits and dashes; part of addresses.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "organization"
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["slug"],
                name="organization_slug",
                violation_error_message=_("Another organization has this short name."),
            ),
            models.CheckConstraint(
                condition=models.Q(slug=Lower("slug")),
                name="organization_slug_lower",
                violation_error_message=_("The short name is written in lower-case letters."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
