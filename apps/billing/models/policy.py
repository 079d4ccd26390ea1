from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel


class DaysOff(models.TextChoices):
    """On which days nothing is sent, and what would be goes on the next one that is none."""

    NONE = "none", _("every day is as good")
    WORKING = "working", _("not on weekends and holidays")
    BANKING = "banking", _("not on days on which banks are closed")


class Late(models.TextChoices):
    """What becomes of reminders whose day went by, because Recado stood still or the customer had enough."""

    MERGE = "merge", _("the last one of each invoice is sent")
    SEND = "send", _("all are sent")
    SKIP = "skip", _("none is sent")


class Anchor(models.TextChoices):
    DUE = "due", _("the day it is due")
    # Bills that are due on a day off are paid in time on the next working day.
    OVERDUE = "overdue", _("the last day to pay in time")
    PAID = "paid", _("the payment")


class Unit(models.TextChoices):
    DAYS = "days", _("days")
    HOURS = "hours", _("hours")


class ReminderPolicy(TenantModel):
    """Who is reminded when, over which channels, in which words. An invoice follows the first one it fits."""

    name = models.CharField(_("name"), max_length=80)
    # Of several the lowest is asked first.
    position = models.SmallIntegerField(_("order"), default=0)
    # Since when people are reminded; what was due before is left alone. Empty: it is a draft, or stopped.
    live_since = models.DateTimeField(_("live since"), null=True, blank=True, editable=False)
    # Up to which invoice all plans were set to be thought over, since it was changed; empty once all were.
    anew_after = models.UUIDField(null=True, editable=False)
    # Of channel accounts, in the order in which they are tried.
    accounts = ArrayField(models.UUIDField(), verbose_name=_("channels"), default=list, blank=True)
    # Seconds after which the next channel is tried where no delivery was reported.
    delivered_within = models.PositiveIntegerField(
        _("seconds until the next channel is tried"), null=True, blank=True,
        validators=[MinValueValidator(60), MaxValueValidator(86_400)],
    )  # fmt: skip
    # By the customer's own clock.
    send_at = models.TimeField(_("hour of the day"), default=time(9))
    days_off = models.CharField(_("days off"), max_length=7, choices=DaysOff, default=DaysOff.WORKING)
    # {"channel", "state", "weekdays", "saturday", "sunday"} each; see apps.billing.dates.quiet.
    quiet_hours = models.JSONField(_("quiet hours"), default=list, blank=True)
    most_a_day = models.PositiveSmallIntegerField(
        _("at most a day"), default=1, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    most_a_week = models.PositiveSmallIntegerField(
        _("at most a week"), default=3, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    joins_invoices = models.BooleanField(_("several invoices in one message"), default=True)
    late = models.CharField(_("late reminders"), max_length=5, choices=Late, default=Late.MERGE)
    # Which invoices it is for; empty means all.
    least_amount = models.BigIntegerField(_("from amount, in cents"), null=True, blank=True)
    most_amount = models.BigIntegerField(_("up to amount, in cents"), null=True, blank=True)
    tags = ArrayField(
        models.CharField(max_length=40), verbose_name=_("with any of the tags"), default=list, blank=True
    )
    except_tags = ArrayField(
        models.CharField(max_length=40), verbose_name=_("with none of the tags"), default=list, blank=True
    )
    customers = ArrayField(models.UUIDField(), verbose_name=_("only these customers"), default=list, blank=True)
    # A payment so many days after a reminder counts as its result.
    result_days = models.PositiveSmallIntegerField(
        _("days in which a payment counts"), default=5, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "reminder_policy"
        verbose_name = _("reminder policy")
        verbose_name_plural = _("reminder policies")
        constraints = [
            # Also serves the list.
            models.UniqueConstraint(fields=["organization", "name"], name="reminder_policy_name"),
        ]
        indexes = [
            # Those whose plans are being set.
            models.Index(fields=["id"], condition=models.Q(anew_after__isnull=False), name="reminder_policy_anew"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.live_since is not None


class ReminderRule(TenantModel):
    """One moment, or a row of them: 10 days before, the day itself, every 7 days up to the 60th after."""

    policy = models.ForeignKey(ReminderPolicy, on_delete=models.CASCADE, related_name="rules", db_index=False)
    anchor = models.CharField(_("counted from"), max_length=7, choices=Anchor, default=Anchor.DUE)
    # Before it, where negative.
    offset = models.SmallIntegerField(_("offset"), default=0)
    unit = models.CharField(_("unit"), max_length=5, choices=Unit, default=Unit.DAYS)
    # In the same unit, up to that offset.
    repeat_every = models.PositiveSmallIntegerField(_("again every"), null=True, blank=True)
    repeat_until = models.SmallIntegerField(_("up to"), null=True, blank=True)
    template = models.SlugField(_("template"), max_length=80)
    # Other words on some channels: template names by connector.
    channel_templates = models.JSONField(_("templates of channels"), default=dict, blank=True)

    class Meta:
        db_table = "reminder_rule"
        verbose_name = _("reminder rule")
        verbose_name_plural = _("reminder rules")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(repeat_every__isnull=True, repeat_until__isnull=True)
                | models.Q(repeat_every__gt=0, repeat_until__isnull=False),
                name="reminder_rule_repeat",
            ),
        ]
        indexes = [
            # A policy's.
            models.Index(fields=["policy", "offset"], name="reminder_rule_policy"),
        ]

    def __str__(self) -> str:
        return f"{self.anchor} {self.offset:+d} {self.unit}"
