from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel


class UploadWay(models.TextChoices):
    # From a client through a web process into the store.
    STREAMED = "streamed", _("through the server")
    # From a client into the store, by signed links.
    DIRECT = "direct", _("straight to the storage")
    # By a worker, from where a provider keeps it.
    FETCHED = "fetched", _("fetched from a provider")


class UploadState(models.TextChoices):
    RECEIVING = "receiving", _("being received")
    # All of it is there and is being read once more, to see whether it is what was said.
    VERIFYING = "verifying", _("being checked")
    READY = "ready", _("ready")
    # Not what was said of it, or more than is allowed.
    REFUSED = "refused", _("refused")
    ABORTED = "aborted", _("aborted")
    # Its file was removed again.
    REMOVED = "removed", _("removed")


# From which state each may be reached. What has ended stays as it is.
COMES_FROM = {
    UploadState.VERIFYING: [UploadState.RECEIVING],
    UploadState.READY: [UploadState.RECEIVING, UploadState.VERIFYING],
    UploadState.REFUSED: [UploadState.RECEIVING, UploadState.VERIFYING],
    UploadState.ABORTED: [UploadState.RECEIVING],
}
UNFINISHED = [UploadState.RECEIVING, UploadState.VERIFYING]


class Upload(TenantModel):
    """A file on its way in. This row is written before anything of it lies in the store, so nothing there is
    ever without one: whatever an upload leaves behind is found by its key."""

    way = models.CharField(_("way"), max_length=8, choices=UploadWay)
    state = models.CharField(_("state"), max_length=9, choices=UploadState, default=UploadState.RECEIVING)
    name = models.CharField(_("name"), max_length=200, blank=True)
    # As announced; streamed bodies may say nothing of it.
    size = models.BigIntegerField(_("announced bytes"), null=True)
    received = models.BigIntegerField(_("received bytes"), default=0)
    part_size = models.BigIntegerField(default=0)
    # The store's id of it, where it goes in parts.
    store_upload = models.CharField(max_length=1024, blank=True)
    # As announced: of the whole, or of the digests of its parts, one after the other.
    sha256 = models.CharField(max_length=64, blank=True)
    parts_sha256 = models.CharField(max_length=64, blank=True)
    # Why it was refused: a word for programs, a sentence for people.
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(_("begun"))
    # When something was last heard of it.
    changed_at = models.DateTimeField(_("last heard of"))
    # Of the worker that checks it.
    leased_until = models.DateTimeField(null=True)
    # Whether the store may still hold something that is of no file.
    leaves_bytes = models.BooleanField(default=True)

    class Meta:
        db_table = "upload"
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes = [
            # The list of an organization's uploads, newest first.
            models.Index(fields=["organization", "-id"], name="upload_list"),
            # What an organization has under way, which counts for its limits.
            models.Index(
                fields=["organization"],
                condition=models.Q(state__in=["receiving", "verifying"]),
                name="upload_under_way",
            ),
            # What the sweep looks at: silent for longest.
            models.Index(fields=["changed_at"], name="upload_silent"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def key(self) -> str:
        return f"{self.organization_id}/{self.id}"
