from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.ids import new_id
from apps.core.months import month_of

# Ten years: whoever wants more keeps everything.
LONGEST_RETENTION = 3650


class Organization(models.Model):
    """A tenant. Everything that belongs to somebody belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(
        _("short name"), max_length=60, help_text=_("Lower-case letters, digits and dashes; part of addresses.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Accepts nothing new, and keeps what it has. Whoever runs the installation says so, and why.
    suspended_at = models.DateTimeField(_("suspended"), null=True, blank=True, editable=False)
    suspend_reason = models.CharField(
        _("why it is suspended"), max_length=300, blank=True, default="", db_default="", editable=False
    )
    # Messages that it may have accepted in a calendar month, of UTC.
    monthly_quota = models.PositiveIntegerField(
        _("messages a month"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # When it was seen to be used up: it counts for that month only.
    quota_reached_at = models.DateTimeField(null=True, blank=True, editable=False)
    message_retention_days = models.PositiveSmallIntegerField(
        _("days that messages are kept"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_RETENTION)],
        help_text=_("What is older is deleted each night, for good. Empty: messages are kept for ever."),
    )

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
            models.CheckConstraint(
                condition=models.Q(message_retention_days__isnull=True)
                | models.Q(message_retention_days__range=(1, LONGEST_RETENTION)),
                name="organization_retention",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_quota_reached(self) -> bool:
        return self.quota_reached_at is not None and self.quota_reached_at >= month_of(clock.now()).begins
