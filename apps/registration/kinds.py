"""What can be asked of a person."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    NAME = "name", _("Name")
    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")
    # CPF or CNPJ.
    TAX_ID = "tax_id", _("CPF or CNPJ")
    POSTAL_ADDRESS = "postal_address", _("Postal address")
    BIRTH_DATE = "birth_date", _("Date of birth")
    FREE = "free", _("Free text")
