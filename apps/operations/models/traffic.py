from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount
from apps.messaging.models.message_event import TransactionId


class Span(models.TextChoices):
    MINUTE = "minute", _("minute")
    HOUR = "hour", _("hour")
    DAY = "day", _("day")


class Traffic(TenantModel):
    """What happened at an account in a minute, an hour or a day, of UTC. Nobody counts history to know it."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(ChannelAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    span = models.CharField(max_length=6, choices=Span)
    starts_at = models.DateTimeField()
    accepted = models.PositiveIntegerField(default=0)
    received = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # Cancelled or expired: nobody was written to, and nothing went wrong.
    dropped = models.PositiveIntegerField(default=0)
    retried = models.PositiveIntegerField(default=0)
    # From when they were to leave until they had: how many were that slow, by latency.BUCKETS.
    latency = ArrayField(models.PositiveIntegerField())

    class Meta:
        db_table = "traffic"
        verbose_name = _("traffic")
        verbose_name_plural = _("traffic")
        constraints = [
            # Where what happens is added; and what an account's page shows.
            models.UniqueConstraint(fields=["account", "span", "starts_at"], name="traffic_once"),
        ]
        indexes = [
            # An organization's charts.
            models.Index(fields=["organization", "span", "starts_at"], name="traffic_organization"),
            # The installation's charts, and what is old enough to go.
            models.Index(fields=["span", "starts_at"], name="traffic_span"),
        ]

    def __str__(self) -> str:
        return f"{self.span} {self.starts_at}"


class TrafficCursor(models.Model):
    """Up to where events have been counted. One row."""

    transaction = TransactionId()
    event_id = models.BigIntegerField()
    # By which is seen whether beat runs.
    counted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "traffic_cursor"

    def __str__(self) -> str:
        return f"{self.transaction}/{self.event_id}"
