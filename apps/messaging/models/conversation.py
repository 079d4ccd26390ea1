from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Membership
from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount
from apps.messaging.models.contact import Contact


class Conversation(TenantModel):
    """All that passes between one channel account and one address of a person.

    Its row is the lock of its order: whoever adds a message to the queue, or takes one from it, holds it.
    """

    account = models.ForeignKey(
        ChannelAccount,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("channel account"),
        db_index=False,
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="conversations", verbose_name=_("contact")
    )
    # Where this account reaches the person.
    address = models.CharField(_("address"), max_length=254)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # What opens the time to reply, where the channel has one.
    last_inbound_at = models.DateTimeField(_("last heard of"), null=True, blank=True)
    unread_count = models.PositiveIntegerField(_("unread"), default=0, db_default=0)
    assignee = models.ForeignKey(
        Membership,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned to"),
        db_index=False,
    )
    labels = models.ManyToManyField("messaging.Label", through="messaging.ConversationLabel", related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "conversation"
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            # Also serves the look-up of where a message belongs.
            models.UniqueConstraint(fields=["account", "address"], name="conversation_parties"),
        ]
        indexes = [
            # The list of an organization's conversations, newest first.
            models.Index(fields=["organization", "-id"], name="conversation_list"),
            # The inbox of a member, and what nobody has taken.
            models.Index(fields=["organization", "assignee", "-id"], name="conversation_assignee"),
            # The same, of what is still open.
            models.Index(
                fields=["organization", "-id"], condition=models.Q(closed_at=None), name="conversation_open"
            ),
            models.Index(
                fields=["organization", "assignee", "-id"],
                condition=models.Q(closed_at=None),
                name="conversation_assignee_open",
            ),
            # What nobody has read yet.
            models.Index(
                fields=["organization", "-id"], condition=models.Q(unread_count__gt=0), name="conversation_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.address
