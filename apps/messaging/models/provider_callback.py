from django.contrib.postgres.fields import ArrayField
from django.db import models


class ProviderCallback(models.Model):
    """What a provider called us with, verified and not yet worked on. The row goes in that transaction.

    It belongs to no single organization: one callback may speak of several accounts.
    """

    connector = models.CharField(max_length=40)
    # The accounts whose secret the signature fits; whatever it says about others is passed over.
    account_ids = ArrayField(models.UUIDField())
    body = models.BinaryField()
    received_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "provider_callback"

    def __str__(self) -> str:
        return f"{self.connector} {self.id}"


class ParkedReceipt(models.Model):
    """A receipt that came before we knew the provider's id of its message, or for a message that is not ours."""

    account_id = models.UUIDField()
    provider_id = models.CharField(max_length=255)
    status = models.CharField(max_length=10)
    at = models.DateTimeField()
    error_class = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=500, blank=True)
    parked_at = models.DateTimeField()

    class Meta:
        db_table = "parked_receipt"
        constraints = [
            models.UniqueConstraint(fields=["account_id", "provider_id", "status"], name="parked_receipt_once"),
        ]
        indexes = [
            # Forgetting those that nothing came for.
            models.Index(fields=["parked_at"], name="parked_receipt_age"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.provider_id}"
