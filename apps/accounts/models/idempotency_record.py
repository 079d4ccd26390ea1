from django.db import models

from apps.accounts.tenancy import TenantModel
from apps.core.fields import EncryptedTextField


class IdempotencyRecord(TenantModel):
    """The first answer to a request that a client may repeat; it lives for a day."""

    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    # Answers hold secrets that are shown once, and people's words.
    body = EncryptedTextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_record"
        constraints = [
            # What makes a second creation impossible.
            models.UniqueConstraint(fields=["organization", "key"], name="idempotency_record_key"),
        ]
        indexes = [
            # Removing what has expired.
            models.Index(fields=["created_at"], name="idempotency_record_expiry"),
        ]

    def __str__(self) -> str:
        return self.key
