from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.callbacks.event_types import EventType
from apps.core.fields import EncryptedTextField

LONGEST_URL = 2000


class DisabledBecause(models.TextChoices):
    MANUAL = "manual", _("somebody disabled it")
    GONE = "gone", _("it answered 410 Gone")
    FAILING = "failing", _("every call to it failed for a day")


class WebhookEndpoint(TenantModel):
    """A URL of an application, and which events it is called with."""

    url = models.CharField(_("URL"), max_length=LONGEST_URL)
    description = models.CharField(_("description"), max_length=200, blank=True)
    # Empty: all of them, also those that are yet to be thought of.
    event_types = ArrayField(
        models.CharField(max_length=40, choices=EventType), verbose_name=_("events"), default=list, blank=True
    )
    secret = EncryptedTextField(editable=False)
    # While one secret replaces another, both sign.
    previous_secret = EncryptedTextField(null=True, editable=False)  # type: ignore[misc] # of a text that may be null
    previous_secret_until = models.DateTimeField(_("earlier secret signs until"), null=True, editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True, editable=False)
    disabled_at = models.DateTimeField(_("disabled since"), null=True, editable=False)
    disabled_reason = models.CharField(
        _("why it is disabled"), max_length=10, choices=DisabledBecause, blank=True, editable=False
    )
    # Since then no call has succeeded. Empty while all is well.
    first_failed_at = models.DateTimeField(_("failing since"), null=True, editable=False)
    # When its people are to be told that it was disabled: a claim moves it on, and the mail takes it away.
    notice_due_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "webhook_endpoint"
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_enabled=True, disabled_at__isnull=True, disabled_reason="")
                | models.Q(
                    is_enabled=False, disabled_at__isnull=False, disabled_reason__in=DisabledBecause.values
                ),
                name="webhook_endpoint_disabled",
            ),
        ]
        indexes = [
            # The list of an organization's endpoints, newest first; and who wants to know of an event.
            models.Index(fields=["organization", "-id"], name="webhook_endpoint_list"),
            # Notices that are due.
            models.Index(
                fields=["notice_due_at"],
                condition=models.Q(notice_due_at__isnull=False),
                name="webhook_endpoint_notice",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def has_previous_secret(self, now: datetime) -> bool:
        return self.previous_secret_until is not None and self.previous_secret_until > now
