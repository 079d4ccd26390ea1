"""Pays invoices, one after another, and says when each payment was told to be written down.

python -m bench.payer SHARE OF        of the unpaid ones, every OFth, beginning with the SHAREth
"""

import random
import sys
import time

import django


def main(share: int, of: int) -> None:
    django.setup()
    from apps.accounts.models import Organization  # noqa: PLC0415
    from apps.accounts.principal import Principal  # noqa: PLC0415
    from apps.billing import payments  # noqa: PLC0415
    from apps.billing.models import Invoice  # noqa: PLC0415

    organization = Organization.objects.get(slug="bench")
    system = Principal.of_system(organization).actor
    unpaid = Invoice.objects.for_organization(organization).order_by("id").values_list("pk", flat=True)
    mine = list(unpaid)[share::of]
    random.Random(share).shuffle(mine)  # noqa: S311 - in no order that the queue has
    for invoice_id in mine:
        payments.pay(invoice_id, organization, None, None, "", system)
        print(invoice_id, time.time())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
