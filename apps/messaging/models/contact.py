from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Collate, Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel


class Contact(TenantModel):
    """A person whom an organization writes to."""

    name = models.CharField(_("name"), max_length=120, blank=True)
    # In which language the person wants to be written to; empty where nobody knows.
    language = models.CharField(_("language"), max_length=10, blank=True, db_default="")
    # An IANA name; empty where nobody knows, then it is the organization's.
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, db_default="")
    # What the person chose on their preference page.
    refused_categories = ArrayField(
        models.CharField(max_length=40), verbose_name=_("wants none of"), default=list, blank=True, db_default=[]
    )
    refused_channels = ArrayField(
        models.CharField(max_length=40), verbose_name=_("not over"), default=list, blank=True, db_default=[]
    )
    # Between these, local time, only what was ordered or asked for is sent.
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    # The person wants nothing at all any more.
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "contact"
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = [
            # The list of an organization's contacts, newest first.
            models.Index(fields=["organization", "-id"], name="contact_list"),
            # By how the name begins.
            models.Index("organization", Collate(Lower("name"), "C"), name="contact_name"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)


class MergedContact(TenantModel):
    """Who a contact became part of: the links in messages that were sent name the old one."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "merged_contact"
        indexes = [
            # Whose earlier ones are to follow when the contact is merged again.
            models.Index(fields=["contact"], name="merged_contact_contact"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ContactAddress(TenantModel):
    """One way to reach a person: a phone number serves several channels."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(_("kind"), max_length=20)
    value = models.CharField(_("address"), max_length=254)

    class Meta:
        db_table = "contact_address"
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [
            # Also serves the look-up of whom a message is for.
            models.UniqueConstraint(fields=["organization", "kind", "value"], name="contact_address_value"),
        ]

    def __str__(self) -> str:
        return self.value
