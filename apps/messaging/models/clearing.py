from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount


class ClearingAction(models.TextChoices):
    REPLAY = "replay", _("try again")
    DISCARD = "discard", _("discard")


class ClearingState(models.TextChoices):
    RUNNING = "running", _("under way")
    PAUSED = "paused", _("paused")
    FINISHED = "finished", _("finished")
    CANCELLED = "cancelled", _("cancelled")


UNFINISHED = [ClearingState.RUNNING, ClearingState.PAUSED]


class Clearing(TenantModel):
    """All open dead letters that are alike are tried again, or discarded: bit by bit, no faster than was said."""

    action = models.CharField(_("what is done"), max_length=7, choices=ClearingAction)
    state = models.CharField(_("state"), max_length=9, choices=ClearingState, default=ClearingState.RUNNING)
    # Which ones; what is empty does not matter.
    account = models.ForeignKey(
        ChannelAccount,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("channel account"),
        db_index=False,
    )
    error_class = models.CharField(_("kind of error"), max_length=20, null=True)  # noqa: DJ001 - empty is a code
    error_code = models.CharField(_("error code"), max_length=60, null=True)  # noqa: DJ001 - empty is a code
    created_before = models.DateTimeField(_("failed before"), null=True)
    failed_again = models.BooleanField(_("failed again"), null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    per_second = models.PositiveSmallIntegerField(_("at most, a second"))
    # How many there were when it began, and how many of them have had their turn.
    matched = models.PositiveIntegerField(_("found"))
    done = models.PositiveIntegerField(_("done"), default=0)
    # The last that had its turn: the next come after it.
    after_id = models.UUIDField(null=True)
    # Up to when its rate is used up.
    worked_at = models.DateTimeField()
    started_by = models.CharField(_("started by"), max_length=255)
    created_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        db_table = "dead_letter_clearing"
        verbose_name = _("clearing of dead letters")
        verbose_name_plural = _("clearings of dead letters")
        constraints = [
            models.CheckConstraint(condition=models.Q(action__in=ClearingAction.values), name="clearing_action"),
            models.CheckConstraint(condition=models.Q(state__in=ClearingState.values), name="clearing_state"),
        ]
        indexes = [
            # The list of an organization's, newest first.
            models.Index(fields=["organization", "-id"], name="clearing_list"),
            # What is under way, or may go on.
            models.Index(
                fields=["state", "worked_at"],
                condition=models.Q(state__in=["running", "paused"]),
                name="clearing_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.error_class or ''} {self.error_code or ''}".strip()
