from django.conf import settings
from django.db import models

from apps.accounts.tenancy import TenantModel


class Session(TenantModel):
    """A user's way in for programs: a chain of refresh tokens that follow one another.

    Each refresh makes the next token and forgets the last. One that comes back was copied, so the whole
    chain ends, for the thief and the owner alike.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    previous_digest = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    refreshed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_session"
        indexes = [
            # Ending the sessions of one person.
            models.Index(fields=["organization", "user"], name="api_session_person"),
            # Removing what has expired.
            models.Index(fields=["expires_at"], name="api_session_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.id)
