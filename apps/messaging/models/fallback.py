from django.db import models

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.messaging.models.message import Message


class MessageFallback(TenantModel):
    """What is tried next when a message does not arrive. Gone once it was tried, or is not needed any more."""

    id = None  # type: ignore[assignment]
    message = models.OneToOneField(
        Message, primary_key=True, on_delete=models.CASCADE, related_name="fallback", db_constraint=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    # In order: {"account_id", "to", "content"…} each; see engine/fallback.py.
    steps = models.JSONField()
    # How many seconds `delivered` is waited for; for ever, where it is not said.
    delivered_within = models.PositiveIntegerField(null=True)
    # When it is looked at: at once after a failure, later while something may still be heard.
    due_at = models.DateTimeField()

    class Meta:
        db_table = "message_fallback"
        indexes = [
            # The sweep: whose time has come.
            models.Index(fields=["due_at"], name="message_fallback_due"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)
