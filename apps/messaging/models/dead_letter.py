from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount
from apps.messaging.models.message import Message


class DeadLetterState(models.TextChoices):
    OPEN = "open", _("open")
    REPLAYING = "replaying", _("being tried again")
    RESOLVED = "resolved", _("sent after all")
    DISCARDED = "discarded", _("discarded")


class DeadLetter(TenantModel):
    """A message that failed for good, until somebody tries it again or lets it rest. Its events tell why."""

    account = models.ForeignKey(
        ChannelAccount,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("channel account"),
        db_index=False,
    )
    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="dead_letter", verbose_name=_("message")
    )
    state = models.CharField(_("state"), max_length=10, choices=DeadLetterState, default=DeadLetterState.OPEN)
    error_class = models.CharField(_("kind of error"), max_length=20)
    error_code = models.CharField(_("error code"), max_length=60, blank=True)
    error_detail = models.CharField(_("error"), max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    replays = models.PositiveSmallIntegerField(_("replays"), default=0)
    discard_reason = models.CharField(_("why it was discarded"), max_length=500, blank=True)
    # The clearing that it had its last turn in; none where somebody tried it again by hand.
    clearing_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(_("since"))
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        db_table = "dead_letter"
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        indexes = [
            # The list of an organization's dead letters, newest first.
            models.Index(fields=["organization", "-id"], name="dead_letter_list"),
            # What is open, in its order: to be shown, counted by cause, and cleared.
            models.Index(fields=["organization", "id"], condition=models.Q(state="open"), name="dead_letter_open"),
            # What became of those that a clearing tried again.
            models.Index(
                fields=["clearing_id", "state"],
                condition=models.Q(clearing_id__isnull=False),
                name="dead_letter_cleared",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.error_class} {self.error_code}".strip()
