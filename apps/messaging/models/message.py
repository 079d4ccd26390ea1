from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount
from apps.messaging.models.conversation import Conversation
from apps.messaging.statuses import Priority, Status


class Message(TenantModel):
    """One message and where it stands now. How it came there is told by its events."""

    # No constraint in the database: the conversation's row, which has them, was locked when this was written.
    account = models.ForeignKey(
        ChannelAccount,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("channel account"),
        db_constraint=False,
        db_index=False,
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="messages",
        verbose_name=_("conversation"),
        db_index=False,
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    text = models.TextField(_("text"))
    priority = models.SmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    reference = models.CharField(_("reference"), max_length=120, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict)
    scheduled_at = models.DateTimeField(_("scheduled for"), null=True)
    expires_at = models.DateTimeField(_("expires"))
    provider_id = models.CharField(_("provider's id"), max_length=255, null=True)  # noqa: DJ001 - only the known ones are indexed
    # Why it failed: the class decides, code and detail are the provider's.
    error_class = models.CharField(_("kind of error"), max_length=20, blank=True)
    error_code = models.CharField(_("error code"), max_length=60, blank=True)
    error_detail = models.CharField(_("error"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("accepted"))

    class Meta:
        db_table = "message"
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        # None holds the status: it changes four times, and every index would be written anew each time.
        indexes = [
            # Whose receipt this is, where the provider echoes no id of ours. Not unique: that a provider gives an
            # id twice must not keep us from writing down what it did.
            models.Index(
                fields=["account", "provider_id"],
                condition=models.Q(provider_id__isnull=False),
                name="message_provider_id",
            ),
            # The list of an organization's messages, newest first.
            models.Index(fields=["organization", "-id"], name="message_list"),
            # A conversation, newest first.
            models.Index(fields=["conversation", "-id"], name="message_conversation"),
            # By the reference of the application that sent it.
            models.Index(
                fields=["organization", "reference", "-id"],
                condition=~models.Q(reference=""),
                name="message_reference",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
