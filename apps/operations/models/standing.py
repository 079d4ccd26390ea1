from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount


class Standing(TenantModel):
    """How much waits at an account, and what failed there for good: looked at every few seconds, by beat.

    Counting it takes as long as there is much of it, so nobody who only looks at a page does.
    """

    id = None  # type: ignore[assignment]
    account = models.OneToOneField(
        ChannelAccount, primary_key=True, on_delete=models.CASCADE, related_name="standing"
    )
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    waiting = models.PositiveIntegerField(default=0)
    # Accepted for later.
    scheduled = models.PositiveIntegerField(default=0)
    # Since when the first of those that could leave waits.
    oldest_due_at = models.DateTimeField(null=True)
    # Those that are open, by kind of error.
    dead_letters = models.JSONField(default=dict)
    looked_at = models.DateTimeField()

    class Meta:
        db_table = "standing"
        verbose_name = _("standing")
        verbose_name_plural = _("standings")

    def __str__(self) -> str:
        return f"{self.account_id} {self.waiting}"
