from collections.abc import Mapping
from datetime import datetime

import orjson
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.channels.connector import CalledAt
from apps.channels.registry import choices, connector_class
from apps.core.breaker import LONGEST_SECONDS, BreakerPolicy
from apps.core.fields import EncryptedTextField
from apps.core.limiter import Limit


class Ordering(models.TextChoices):
    STRICT = "strict", _("in order within a conversation")
    RELAXED = "relaxed", _("as fast as possible")


class ReplyWindow(models.TextChoices):
    ENFORCED = "enforced", _("kept: outside it only templates leave")
    # For accounts whose conversations began elsewhere: we do not know when people wrote.
    LEFT_TO_PROVIDER = "left_to_provider", _("left to the provider to refuse")


class OnUnknown(models.TextChoices):
    RETRY = "retry", _("send again: at least once")
    DEAD_LETTER = "dead_letter", _("do not send again: at most once")


def between(least: float, most: float) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(least), MaxValueValidator(most)]


SLOWEST, FASTEST = 0.000001, 100_000
LARGEST_BURST = 100_000
LARGEST_INTEGER = 2**31 - 1


def default_breaker_failures() -> int:
    return settings.RESILIENCE_BREAKER_FAILURES


def default_breaker_seconds() -> int:
    return settings.RESILIENCE_BREAKER_SECONDS


def default_retry_attempts() -> int:
    return settings.RESILIENCE_RETRY_ATTEMPTS


def default_retry_base_ms() -> int:
    return settings.RESILIENCE_RETRY_BASE_MS


class ChannelAccount(TenantModel):
    """An organization's account at a provider: its credentials, its limits, and how its messages are treated."""

    connector = models.CharField(_("connector"), max_length=40, choices=choices)
    name = models.CharField(_("name"), max_length=120)
    # A JSON object of the fields that the connector declares.
    credentials = EncryptedTextField(_("credentials"))
    # What the provider's callbacks call this account.
    provider_account = models.CharField(_("provider's id"), max_length=120, blank=True, editable=False)
    # Of what a provider shows when it asks whether our address is this account's.
    challenge_digest = models.CharField(max_length=64, blank=True, editable=False)

    rate_per_second = models.FloatField(_("messages a second"), validators=between(SLOWEST, FASTEST))
    burst = models.PositiveIntegerField(_("at once after a rest"), validators=between(1, LARGEST_BURST))
    recipient_rate_per_second = models.FloatField(
        _("messages a second to one person"), null=True, blank=True, validators=between(SLOWEST, FASTEST)
    )
    recipient_burst = models.PositiveIntegerField(
        _("at once to one person"), null=True, blank=True, validators=between(1, LARGEST_BURST)
    )
    daily_quota = models.PositiveIntegerField(
        _("messages a day"), null=True, blank=True, validators=between(1, LARGEST_INTEGER)
    )

    breaker_failures = models.PositiveSmallIntegerField(
        _("failures that open the breaker"), default=default_breaker_failures, validators=between(1, 1000)
    )
    breaker_seconds = models.PositiveIntegerField(
        _("seconds it stays open"), default=default_breaker_seconds, validators=between(1, LONGEST_SECONDS)
    )
    retry_attempts = models.PositiveSmallIntegerField(
        _("attempts"), default=default_retry_attempts, validators=between(1, 20)
    )
    retry_base_ms = models.PositiveIntegerField(
        _("first wait between attempts, in ms"), default=default_retry_base_ms, validators=between(1, 600_000)
    )
    ordering = models.CharField(_("order"), max_length=10, choices=Ordering, default=Ordering.STRICT)
    on_unknown = models.CharField(
        _("when an outcome stays unknown"), max_length=12, choices=OnUnknown, default=OnUnknown.RETRY
    )
    unknown_wait = models.PositiveIntegerField(
        _("seconds to wait for a receipt"), default=60, validators=between(0, 86_400)
    )

    reply_window = models.CharField(
        _("the time to reply"), max_length=20, choices=ReplyWindow, default=ReplyWindow.ENFORCED
    )

    paused_at = models.DateTimeField(_("paused since"), null=True, editable=False)
    paused_until = models.DateTimeField(_("paused until"), null=True, editable=False)
    pause_reason = models.CharField(_("why it is paused"), max_length=500, blank=True, editable=False)
    # It paused itself: the provider refused it, and `pause_reason` is what the provider said.
    is_refused = models.BooleanField(_("refused by the provider"), default=False, editable=False)
    # Takes no new messages, and sends those it has. Workers need not know: what they do stays the same.
    draining_at = models.DateTimeField(_("draining since"), null=True, editable=False)
    draining_until = models.DateTimeField(_("draining until"), null=True, editable=False)
    drain_reason = models.CharField(_("why it is draining"), max_length=500, blank=True, editable=False)
    # Counts the changes, so that workers notice that what they remember is old.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "channel_account"
        verbose_name = _("channel account")
        verbose_name_plural = _("channel accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                name="channel_account_name",
                violation_error_message=_("Another channel account has this name."),
            ),
            models.CheckConstraint(condition=models.Q(ordering__in=Ordering.values), name="channel_account_order"),
            models.CheckConstraint(
                condition=models.Q(reply_window__in=ReplyWindow.values), name="channel_account_reply_window"
            ),
            models.CheckConstraint(
                condition=models.Q(on_unknown__in=OnUnknown.values), name="channel_account_on_unknown"
            ),
        ]
        indexes = [
            # The list of an organization's accounts, newest first.
            models.Index(fields=["organization", "-id"], name="channel_account_list"),
            # Whose callback this is. Not unique: nobody can keep others out by naming their number.
            models.Index(fields=["connector", "provider_account"], name="channel_account_callback"),
            # Whose address a provider asks for.
            models.Index(
                fields=["challenge_digest"],
                condition=~models.Q(challenge_digest=""),
                name="channel_account_challenge",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def credential_values(self) -> Mapping[str, str]:
        values: dict[str, str] = orjson.loads(self.credentials)
        return values

    @property
    def public_credentials(self) -> Mapping[str, str]:
        values, fields = self.credential_values, connector_class(self.connector).credentials
        return {field.name: values.get(field.name, "") for field in fields if not field.is_secret}

    @property
    def callback_url(self) -> str:
        """Where the provider is to report, as its owner tells it there."""
        address = f"{settings.PUBLIC_URL}/v1/hooks/{self.connector}"
        match connector_class(self.connector).called_at:
            case CalledAt.CONNECTOR:
                return address
            case CalledAt.ACCOUNT:
                return f"{address}/{self.pk}"
            case CalledAt.NOWHERE:
                return ""

    @property
    def keeps_reply_window(self) -> bool:
        return self.reply_window == ReplyWindow.ENFORCED

    @property
    def limit(self) -> Limit:
        return Limit(self.rate_per_second, self.burst)

    @property
    def recipient_limit(self) -> Limit | None:
        if self.recipient_rate_per_second is None or self.recipient_burst is None:
            return None
        return Limit(self.recipient_rate_per_second, self.recipient_burst)

    @property
    def breaker_policy(self) -> BreakerPolicy:
        return BreakerPolicy(failures=self.breaker_failures, seconds=self.breaker_seconds)

    def is_paused(self, now: datetime) -> bool:
        return self.paused_at is not None and (self.paused_until is None or self.paused_until > now)

    def is_draining(self, now: datetime) -> bool:
        return self.draining_at is not None and (self.draining_until is None or self.draining_until > now)
