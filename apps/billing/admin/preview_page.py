"""What an invoice's page shows of the time ahead: when its customer is written to, where, and in which words."""

from dataclasses import dataclass
from typing import Any

from apps.billing import preview
from apps.billing.models import Invoice
from apps.billing.planner.batch import customers_of
from apps.billing.preview import Planned
from apps.billing.rule_words import in_words
from apps.core import clock

# What is asked for, to see all that the customer owes.
OF_CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Line:
    planned: Planned
    rule: str
    numbers: str


def page_of(invoice: Invoice, wanted: str | None) -> dict[str, Any]:
    is_of_customer = wanted == OF_CUSTOMER
    found = preview.of_customer(invoice.contact) if is_of_customer else preview.of_invoice(invoice)
    return {
        "days": preview.DAYS,
        "zone": customers_of({invoice.contact_id}, clock.now())[invoice.contact_id].place.zone,
        "is_of_customer": is_of_customer,
        "of_customer": OF_CUSTOMER,
        "customer": invoice.contact,
        "policies": ", ".join(policy.name for policy in found.policies),
        "lines": [
            Line(each, in_words(each.rule) if each.rule else "", ", ".join(bill.number for bill in each.invoices))
            for each in found.planned
        ],
    }
