from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.messaging.models.contact import Contact


class ConsentSource(models.TextChoices):
    """Who said so, and where."""

    WORD = "word", _("a word the person sent")
    PAGE = "page", _("the person's preference page")
    ONE_CLICK = "one_click", _("the mail program's unsubscribe button")
    PROVIDER = "provider", _("the provider, in the person's name")
    API = "api", _("an application")
    OPERATOR = "operator", _("an operator")


class Suppression(TenantModel):
    """An address that is not written to, whoever it belongs to and whatever becomes of the contact."""

    kind = models.CharField(_("kind"), max_length=20)
    value = models.CharField(_("address"), max_length=254)
    # Empty: nothing at all.
    category = models.CharField(_("category"), max_length=40, blank=True)
    source = models.CharField(_("source"), max_length=10, choices=ConsentSource)
    detail = models.CharField(_("details"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("since"))

    class Meta:
        db_table = "suppression"
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [
            # Also serves the look-up before every message.
            models.UniqueConstraint(fields=["organization", "kind", "value", "category"], name="suppression_once"),
        ]
        indexes = [
            # The list of an organization's suppressed addresses, newest first.
            models.Index(fields=["organization", "-id"], name="suppression_list"),
        ]

    def __str__(self) -> str:
        return self.value


class ConsentEvent(TenantModel):
    """What a person allowed or refused: when, where, and what it was about. Rows are added, never changed."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consent_events", db_index=False)
    # `all`, `category:marketing`, `channel:sms`, `quiet_hours`, or an address as `phone:+55…`.
    subject = models.CharField(_("about"), max_length=280)
    is_given = models.BooleanField(_("allowed"))
    source = models.CharField(_("source"), max_length=10, choices=ConsentSource)
    detail = models.CharField(_("details"), max_length=255, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        db_table = "consent_event"
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [
            # A person's history, newest first.
            models.Index(fields=["contact", "-id"], name="consent_event_contact"),
        ]

    def __str__(self) -> str:
        return f"{'+' if self.is_given else '-'} {self.subject}"
