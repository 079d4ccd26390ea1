from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.files.models import File


class ImportState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    # The file as a whole could not be read.
    REFUSED = "refused", _("refused")


class InvoiceImport(TenantModel):
    """A file of invoices, read by a worker a batch at a time; it goes on where a dead worker stopped."""

    file = models.ForeignKey(
        File, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("file"), db_index=False
    )
    state = models.CharField(_("state"), max_length=7, choices=ImportState, default=ImportState.WAITING)
    # Rows: in the file as far as known, and read so far. The next one to read is `done_rows`.
    total_rows = models.IntegerField(_("rows"), null=True)
    done_rows = models.IntegerField(_("rows read"), default=0)
    created_rows = models.IntegerField(_("new invoices"), default=0)
    changed_rows = models.IntegerField(_("changed invoices"), default=0)
    unchanged_rows = models.IntegerField(_("known before"), default=0)
    refused_rows = models.IntegerField(_("refused"), default=0)
    # The first of them, as far as there is room: {"row", "field", "code", "detail"} each.
    errors = models.JSONField(_("what is wrong"), default=list)
    # Why the file as a whole was refused.
    error_detail = models.CharField(_("why it was refused"), max_length=300, blank=True)
    leased_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"))
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        db_table = "invoice_import"
        verbose_name = _("import of invoices")
        verbose_name_plural = _("imports of invoices")
        indexes = [
            # The list of an organization's, newest first.
            models.Index(fields=["organization", "-id"], name="invoice_import_list"),
            # What no worker has ended yet.
            models.Index(
                fields=["changed_at"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="invoice_import_open",
            ),
            # Which imports a file that goes belongs to.
            models.Index(fields=["file"], condition=models.Q(file__isnull=False), name="invoice_import_file"),
        ]

    def __str__(self) -> str:
        return str(self.id)
