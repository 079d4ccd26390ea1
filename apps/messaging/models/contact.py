from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel


class Contact(TenantModel):
    """A person whom an organization writes to."""

    name = models.CharField(_("name"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "contact"
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = [
            # The list of an organization's contacts, newest first.
            models.Index(fields=["organization", "-id"], name="contact_list"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)


class ContactAddress(TenantModel):
    """One way to reach a person: a phone number serves several channels."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(_("kind"), max_length=20)
    value = models.CharField(_("address"), max_length=254)
    # The person, or the provider in their name, asked not to be written to here.
    opted_out_at = models.DateTimeField(_("opted out"), null=True, blank=True)

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
