from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount
from apps.messaging.models.conversation import Conversation


class Route(TenantModel):
    """What comes in here goes on to there."""

    name = models.CharField(_("name"), max_length=120)
    source_account = models.ForeignKey(
        ChannelAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("comes in on"), db_index=False
    )
    # Only what is written in this conversation; else whatever comes in on the account.
    source_conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only from this conversation"),
        db_index=False,
    )
    target_account = models.ForeignKey(
        ChannelAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("goes on over"), db_index=False
    )
    target_address = models.CharField(_("to"), max_length=254)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "route"
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                name="route_name",
                violation_error_message=_("Another route has this name."),
            ),
        ]
        indexes = [
            # What is to be done with what comes in.
            models.Index(fields=["source_account"], condition=models.Q(is_active=True), name="route_source"),
            # The list of an organization's routes, newest first.
            models.Index(fields=["organization", "-id"], name="route_list"),
        ]

    def __str__(self) -> str:
        return self.name
