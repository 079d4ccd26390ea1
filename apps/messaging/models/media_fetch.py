from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.core.ids import new_id
from apps.messaging.models.message import Message


class FetchState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    # All of it is in the store and is being read once more.
    FETCHED = "fetched", _("fetched")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class MediaFetch(TenantModel):
    """A file that a person sent, on its way from the provider into a file of ours. Its message says what it is.

    The columns that lead to other tables have no constraint in the database: they are copied from the message, in
    the transaction that inserts it.
    """

    id = None  # type: ignore[assignment]
    message = models.OneToOneField(
        Message, primary_key=True, on_delete=models.CASCADE, related_name="media_fetch", db_constraint=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    state = models.CharField(max_length=7, choices=FetchState, default=FetchState.WAITING)
    attempt = models.SmallIntegerField(default=0)
    # Nobody may take it before: a worker has it, or the next attempt is for later.
    free_at = models.DateTimeField()
    # When the sweep rings for it.
    due_at = models.DateTimeField()
    lease = models.UUIDField(null=True)
    # Chosen before there is an upload, so that a worker that dies leaves none that nobody knows.
    upload_id = models.UUIDField(default=new_id)
    # Why it failed: a word for programs, a sentence for people.
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "media_fetch"
        constraints = [
            # Whose upload it is that ended.
            models.UniqueConstraint(fields=["upload_id"], name="media_fetch_upload"),
        ]
        indexes = [
            # The sweep: what nobody rang for.
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="media_fetch_due"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.message_id}"
