from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.roles import Role
from apps.accounts.tenancy import TenantModel


class Membership(TenantModel):
    """A person's place in an organization."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    # What this organization calls them; what they call themselves is theirs.
    name = models.CharField(_("name"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        db_table = "membership"
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            # Also serves the look-up of who is asking, on every request with a user's token.
            models.UniqueConstraint(
                fields=["organization", "user"],
                name="membership_person",
                violation_error_message=_("This person is a member already."),
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
        ]

    def __str__(self) -> str:
        return self.name or self.user.email
