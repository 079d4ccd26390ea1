from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.callbacks.models.endpoint import WebhookEndpoint

LONGEST_RESPONSE = 1000


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    # Under a lease, at the endpoint.
    SENDING = "sending", _("being sent")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")


class WebhookDelivery(TenantModel):
    """One event on its way to one endpoint, and then what became of it.

    It is kept for a while. The partial indexes know only what is still to be done, so what is over slows nobody.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    # An endpoint goes at once. What it was sent goes with the rest of its age, and is shown to nobody meanwhile.
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.DO_NOTHING,
        related_name="+",
        verbose_name=_("webhook endpoint"),
        db_index=False,
        db_constraint=False,
    )
    # The same in every attempt: by it the receiver knows what it has seen.
    event_id = models.CharField(_("webhook-id"), max_length=60)
    type = models.CharField(_("event"), max_length=40)
    # As it is sent and signed, to the letter.
    payload = models.TextField(_("payload"))
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Waiting, it may be claimed from then on; sending, its lease ends.
    due_at = models.DateTimeField(_("next attempt"), db_default=Now())
    lease = models.UUIDField(null=True)
    # Of the last attempt.
    last_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    last_response = models.CharField(_("answer"), max_length=LONGEST_RESPONSE, blank=True)
    last_error = models.CharField(_("error"), max_length=300, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True)
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        db_table = "webhook_delivery"
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            # However often an event is looked at.
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="webhook_delivery_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="sending", lease__isnull=False)
                | (~models.Q(state="sending") & models.Q(lease__isnull=True)),
                name="webhook_delivery_lease",
            ),
        ]
        indexes = [
            # The claim: which endpoints anything waits for, and what is due at one of them.
            models.Index(
                fields=["endpoint", "due_at"],
                condition=models.Q(state="waiting"),
                name="webhook_delivery_claim",
            ),
            # How many calls an endpoint has at once, and leases that ended.
            models.Index(
                fields=["endpoint", "due_at"],
                condition=models.Q(state="sending"),
                name="webhook_delivery_sending",
            ),
            # What can be sent again.
            models.Index(
                fields=["endpoint", "-id"], condition=models.Q(state="failed"), name="webhook_delivery_failed"
            ),
            # The list of an endpoint's deliveries, newest first; and of an organization's.
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_list"),
            models.Index(fields=["organization", "-id"], name="webhook_delivery_all"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
