from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.messaging.models.message import Message
from apps.messaging.statuses import EventKind


class TransactionId(models.Field[str, str]):
    """PostgreSQL's 64-bit transaction id: it orders rows by when their transaction began to write."""

    def db_type(self, connection: Any) -> str:
        return "xid8"


class MessageEvent(TenantModel):
    """One thing that happened to a message. Rows are added, never changed."""

    id = models.BigAutoField(primary_key=True)  # type: ignore[assignment]
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="events", db_index=False, db_constraint=False
    )
    conversation_id = models.UUIDField()
    kind = models.CharField(_("what"), max_length=10, choices=EventKind)
    at = models.DateTimeField(_("at"))
    attempt = models.SmallIntegerField(_("attempt"), default=0)
    # Of an attempt: the error's class, code and words, how long it took, when the next one is due.
    detail = models.JSONField(_("details"), default=dict)
    # The message's: to whom it is published is then told in the same trace.
    trace = models.CharField(max_length=55, null=True, editable=False)  # noqa: DJ001
    transaction = TransactionId(db_default=models.Func(function="pg_current_xact_id"))

    class Meta:
        db_table = "message_event"
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            # The story of a message.
            models.Index(fields=["message", "id"], name="message_event_story"),
            # What is yet to be published, in the order of commits.
            models.Index(fields=["transaction", "id"], name="message_event_publish"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class EventCursor(models.Model):
    """Up to where events have been published. One row."""

    transaction = TransactionId()
    event_id = models.BigIntegerField()

    class Meta:
        db_table = "event_cursor"

    def __str__(self) -> str:
        return f"{self.transaction}/{self.event_id}"
