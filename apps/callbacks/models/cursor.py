from django.db import models

from apps.messaging.models.message_event import TransactionId


class WebhookCursor(models.Model):
    """Up to where events have been turned into deliveries. One row."""

    transaction = TransactionId()
    event_id = models.BigIntegerField()

    class Meta:
        db_table = "webhook_cursor"

    def __str__(self) -> str:
        return f"{self.transaction}/{self.event_id}"
