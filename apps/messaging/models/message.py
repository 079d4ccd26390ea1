from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount
from apps.messaging.models.conversation import Conversation
from apps.messaging.statuses import Category, Direction, Priority, Status


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
    direction = models.CharField(
        _("direction"), max_length=8, choices=Direction, default=Direction.OUTBOUND, db_default=Direction.OUTBOUND
    )
    # What a person reads, also where media or a template says it in another way.
    text = models.TextField(_("text"))
    # Everything else of its content, as apps.channels.content writes it; and what goes outside the reply window.
    content = models.JSONField(_("content"), default=dict, db_default={})
    category = models.CharField(
        _("category"), max_length=40, default=Category.TRANSACTIONAL, db_default=Category.TRANSACTIONAL
    )
    # Other messages: the one it answers, the one a route took on, the one whose place it takes. No constraints in
    # the database, for each was looked up in the transaction that wrote this row.
    reply_to_id = models.UUIDField(null=True)
    forwarded_from_id = models.UUIDField(null=True)
    fallback_of_id = models.UUIDField(null=True)
    # A row of message_fallback says what is tried when this one does not arrive.
    has_fallback = models.BooleanField(default=False, db_default=False)
    template_id = models.UUIDField(null=True)
    # Who is asked just before it leaves whether it still may, and about what.
    guard = models.CharField(max_length=20, blank=True, default="", db_default="")
    guard_key = models.UUIDField(null=True)
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
    # The span that accepted it, as `traceparent` has it. Most messages are not sampled, and nothing takes no room.
    trace = models.CharField(max_length=55, null=True, editable=False)  # noqa: DJ001
    created_at = models.DateTimeField(_("accepted"))

    class Meta:
        db_table = "message"
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            # What a person wrote is kept once, however often the provider tells of it.
            models.UniqueConstraint(
                fields=["account", "provider_id"],
                condition=models.Q(direction="inbound"),
                name="message_inbound_once",
            ),
            # A message is replaced by one other at most, whoever finds out that it did not arrive.
            models.UniqueConstraint(
                fields=["fallback_of_id"],
                condition=models.Q(fallback_of_id__isnull=False),
                name="message_fallback_once",
            ),
        ]
        # None holds the status: it changes four times, and every index would be written anew each time.
        indexes = [
            # Whose receipt this is, where the provider echoes no id of ours. Not unique: that a provider gives an
            # id twice must not keep us from writing down what it did.
            models.Index(
                fields=["account", "provider_id"],
                condition=models.Q(provider_id__isnull=False),
                name="message_provider_id",
            ),
            # What routes made of a message.
            models.Index(
                fields=["forwarded_from_id"],
                condition=models.Q(forwarded_from_id__isnull=False),
                name="message_forwards",
            ),
            # What answers a message that is deleted.
            models.Index(
                fields=["reply_to_id"],
                condition=models.Q(reply_to_id__isnull=False),
                name="message_replies",
            ),
            # The list of an organization's messages, newest first.
            models.Index(fields=["organization", "-id"], name="message_list"),
            # A conversation, newest first.
            models.Index(fields=["conversation", "-id"], name="message_conversation"),
            # What did not go well, by its kind and by the provider's code. Most messages are in neither.
            models.Index(
                fields=["organization", "error_class", "-id"],
                condition=~models.Q(error_class=""),
                name="message_error",
            ),
            models.Index(
                fields=["organization", "error_code", "-id"],
                condition=~models.Q(error_class=""),
                name="message_error_code",
            ),
            # Who was sent a template.
            models.Index(
                fields=["template_id", "-id"],
                condition=models.Q(template_id__isnull=False),
                name="message_template",
            ),
            # By the reference of the application that sent it.
            models.Index(
                fields=["organization", "reference", "-id"],
                condition=~models.Q(reference=""),
                name="message_reference",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
