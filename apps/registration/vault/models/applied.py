from django.db import models

from apps.registration.vault.models.scoped import VaultModel


class Applied(VaultModel):
    """That something was written, by the id of what it was: told of again, it changes nothing."""

    # Known once the same transaction has written it.
    person_id = models.UUIDField(null=True)
    at = models.DateTimeField()

    class Meta:
        db_table = 'vault"."applied'
        indexes = [
            # What nobody tells of any more.
            models.Index(fields=["at"], name="vault_applied_at"),
        ]

    def __str__(self) -> str:
        return str(self.id)
