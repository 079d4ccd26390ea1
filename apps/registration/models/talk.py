from django.db import models

from apps.accounts.tenancy import TenantModel
from apps.messaging.models import Conversation


class Talk(TenantModel):
    """Who works on what came in a conversation: one at a time, under a lease, so that it is heard in its order."""

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="+")
    # Empty while nothing waits to be heard.
    due_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "registration_talk"
        indexes = [
            # The claim, the longest waiting first.
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="registration_talk_due"
            ),
        ]

    def __str__(self) -> str:
        return str(self.conversation_id)


class HeardMessage(models.Model):
    """A message that came and is not worked on yet."""

    id = models.BigAutoField(primary_key=True)
    talk = models.ForeignKey(Talk, on_delete=models.CASCADE, related_name="waiting", db_index=False)
    message_id = models.UUIDField()

    class Meta:
        db_table = "registration_heard_message"
        indexes = [
            # The first of a conversation.
            models.Index(fields=["talk", "id"], name="registration_heard_message_1st"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)
