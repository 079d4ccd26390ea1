from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel


class Thumbnail(models.TextChoices):
    NONE = "none", _("has none")
    WANTED = "wanted", _("will be made")
    MADE = "made", _("made")


class File(TenantModel):
    """Something that is whole in the store, under a key that says nothing of it. Its id is its upload's."""

    # Made harmless before it is kept.
    name = models.CharField(_("name"), max_length=200)
    size = models.BigIntegerField(_("bytes"))
    # Of all its bytes, as we read them.
    sha256 = models.CharField("SHA-256", max_length=64)
    # By its content.
    media_type = models.CharField(_("type"), max_length=127)
    # Whether anything refers to it; what nothing does is removed one day.
    is_used = models.BooleanField(_("in use"), default=False)
    thumbnail = models.CharField(_("thumbnail"), max_length=6, choices=Thumbnail, default=Thumbnail.NONE)
    created_at = models.DateTimeField(_("stored"))

    class Meta:
        db_table = "file"
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [
            # The list of an organization's files, newest first.
            models.Index(fields=["organization", "-id"], name="file_list"),
            # What the sweep looks at: the oldest of an organization, and those that nothing refers to.
            models.Index(fields=["organization", "created_at"], name="file_age"),
            models.Index(fields=["created_at"], condition=models.Q(is_used=False), name="file_unused"),
            # Thumbnails that were not made yet.
            models.Index(
                fields=["created_at"], condition=models.Q(thumbnail="wanted"), name="file_thumbnail_wanted"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return f"{self.organization_id}/{self.id}"

    @property
    def thumbnail_key(self) -> str:
        return f"{self.key}.webp"
