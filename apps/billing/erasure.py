"""What invoices say of a customer who is erased: they are kept, for books have to be; what is in no book goes.

What is still owed stays as it is, with the ways to pay it. Once that is settled, erasing again takes these too.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.accounts.erasure import forget_fields_in_trail
from apps.accounts.models import Organization
from apps.billing.models import Invoice, InvoiceStatus

AT_ONCE = 500
_SETTLED = (InvoiceStatus.PAID, InvoiceStatus.CANCELLED)
_NOTHING: dict[str, Any] = {"metadata": {}, "tags": [], "payment_url": "", "pix_code": "", "boleto_line": ""}


def erase(organization: Organization, contact_id: UUID) -> Mapping[str, int]:
    theirs = Invoice.objects.for_organization(organization).filter(contact=contact_id)
    settled = theirs.filter(status__in=_SETTLED)
    telling, cleared = settled.exclude(**_NOTHING).order_by("pk"), 0
    while ids := list(telling.values_list("pk", flat=True)[:AT_ONCE]):
        cleared += _clear(organization, ids)
    about = Q(target_kind="invoice", target_id__in=settled.values("pk"))
    return {
        "invoices_kept": theirs.count(),
        "invoices_cleared": cleared,
        "invoices_still_owed": theirs.exclude(status__in=_SETTLED).count(),
        "trail": forget_fields_in_trail(organization, about, list(_NOTHING)),
    }


@transaction.atomic
def _clear(organization: Organization, ids: list[UUID]) -> int:
    """Locked in the order of their numbers, as whoever saves many locks them."""
    rows = Invoice.objects.for_organization(organization).filter(pk__in=ids)
    list(rows.order_by("number").select_for_update(no_key=True).values_list("pk"))
    return rows.filter(status__in=_SETTLED).update(**_NOTHING)
