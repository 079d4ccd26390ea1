from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel

LONGEST_KEYWORD = 40
LONGEST_URL = 2000


class RegistrationFlow(TenantModel):
    """What an organization asks people for, over which accounts, and what becomes of the answers."""

    name = models.CharField(_("name"), max_length=80)
    # Of several that a message could start, the lowest is asked first.
    position = models.SmallIntegerField(_("order"), default=0)
    is_live = models.BooleanField(_("live"), default=False, editable=False)
    # Of channel accounts: who writes there can start it.
    accounts = ArrayField(models.UUIDField(), verbose_name=_("channels"), default=list, blank=True)
    # Each starts it where it is all that somebody writes.
    keywords = ArrayField(
        models.CharField(max_length=LONGEST_KEYWORD), verbose_name=_("keywords"), default=list, blank=True
    )
    starts_by_intent = models.BooleanField(_("starts when people say that they want to register"), default=True)
    published = models.ForeignKey(
        "registration.FlowVersion", on_delete=models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("published version"), db_index=False,
    )  # fmt: skip
    # Without an answer for so long, the question is asked once more; and then it is closed.
    remind_after = models.PositiveIntegerField(
        _("minutes until it asks again"), default=60,
        validators=[MinValueValidator(1), MaxValueValidator(10_080)],
    )  # fmt: skip
    close_after = models.PositiveIntegerField(
        _("minutes until it closes then"), default=1_380,
        validators=[MinValueValidator(1), MaxValueValidator(10_080)],
    )  # fmt: skip
    # So long after the end, what people wrote is made unreadable in their conversations. Empty: it stays.
    redact_after = models.PositiveSmallIntegerField(
        _("days until messages are redacted"), null=True, blank=True,
        validators=[MaxValueValidator(3_650)],
    )  # fmt: skip
    # So long after the last change, the person is erased from the vault. Empty: they stay.
    keep_days = models.PositiveSmallIntegerField(
        _("days until personal data is erased"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(7_300)],
    )  # fmt: skip
    # The organization's own account API: called by this account, whose connector is a webhook.
    told_by = models.UUIDField(_("webhook account that tells of it"), null=True, blank=True)
    told_at = models.CharField(_("URL that is told of it"), max_length=LONGEST_URL, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "registration_flow"
        verbose_name = _("registration flow")
        verbose_name_plural = _("registration flows")
        constraints = [
            # Also serves the list, and the look for what a message may start.
            models.UniqueConstraint(fields=["organization", "name"], name="registration_flow_name"),
            models.CheckConstraint(
                condition=models.Q(is_live=False) | models.Q(published__isnull=False),
                name="registration_flow_live",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FlowVersion(TenantModel):
    """Questions and texts as they once were: who began with them goes on with them."""

    flow = models.ForeignKey(RegistrationFlow, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField(_("version"))
    # As apps.registration.definition reads it.
    definition = models.JSONField(_("definition"))
    published_at = models.DateTimeField(_("published"))

    class Meta:
        db_table = "registration_flow_version"
        verbose_name = _("version of a registration flow")
        verbose_name_plural = _("versions of registration flows")
        constraints = [
            # Also serves the list of a flow's versions.
            models.UniqueConstraint(fields=["flow", "number"], name="registration_flow_version_number"),
        ]

    def __str__(self) -> str:
        return f"{self.flow} {self.number}"
