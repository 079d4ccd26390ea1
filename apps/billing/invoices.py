"""Invoices: brought, by one or by the thousand, changed, cancelled, disputed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, NotFound

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.billing import customers, in_flight, pix, plans
from apps.billing.models import Invoice, InvoiceStatus
from apps.billing.new_invoice import (
    CHANGEABLE,
    CURRENCY,
    MOST_AT_ONCE,
    Mistake,
    NewInvoice,
    RefusedInvoice,
    Saved,
    checked,
)
from apps.core import clock
from apps.core.api.problems import Conflict, field_error

TRIES = 3
_COLUMNS = ("contact_id", *CHANGEABLE)
_MONEY = ("amount", "currency")


class InvoiceSettled(Conflict):
    default_code = "invoice_settled"
    default_detail = gettext_lazy("This invoice is paid or cancelled, so that cannot be changed any more.")


class InvoiceNotDisputed(Conflict):
    default_code = "invoice_not_disputed"
    default_detail = gettext_lazy("Nobody disputes this invoice.")


def save_many(principal: Principal, wanted: Sequence[NewInvoice]) -> list[Saved | RefusedInvoice]:
    """Each is new, changed, as it was, or refused; in as many statements for a thousand as for one."""
    assert len(wanted) <= MOST_AT_ONCE
    return _tried_again(principal.organization, [checked(each) for each in wanted], wanted)


@transaction.atomic
def add(principal: Principal, wanted: NewInvoice) -> Saved:
    """One alone. Raises what the API answers with where it is refused."""
    return _noted(principal, *_tried_again(principal.organization, [checked(wanted)], [wanted]))


@transaction.atomic
def change(principal: Principal, invoice: Invoice, **values: Any) -> Invoice:
    """What is not named stays as it is."""
    wanted = NewInvoice(number=invoice.number, **values)
    read = checked(wanted, is_whole=False)
    return _noted(principal, *_tried_again(principal.organization, [read], [wanted])).invoice


def cancel(principal: Principal, invoice: Invoice) -> Invoice:
    """Nobody is reminded of it any more, from the moment that this returns."""
    return _move(principal, invoice, "cancelled", _cancel)


def dispute(principal: Principal, invoice: Invoice) -> Invoice:
    """Nobody is reminded of it until that is settled, from the moment that this returns."""
    return _move(principal, invoice, "disputed", _dispute)


def settle_dispute(principal: Principal, invoice: Invoice) -> Invoice:
    """It is owed as before."""
    return _move(principal, invoice, "dispute_settled", _settle_dispute)


def refusal_of(refused: RefusedInvoice) -> APIException:
    """The first thing that is wrong, as the API says it of one invoice."""
    first = refused.mistakes[0]
    if first.code == InvoiceSettled.default_code:
        return InvoiceSettled(first.detail)
    return field_error(first.field, first.code, first.detail)


type _Read = NewInvoice | list[Mistake]


def _tried_again(
    organization: Organization, read: Sequence[_Read], wanted: Sequence[NewInvoice]
) -> list[Saved | RefusedInvoice]:
    """Somebody else may add the same invoice, or the same person, this moment: then it is known the next time."""
    for _try in range(TRIES - 1):
        try:
            with transaction.atomic():
                return _save(organization, read, wanted)
        except IntegrityError:
            continue
    with transaction.atomic():
        return _save(organization, read, wanted)


def _save(
    organization: Organization, read: Sequence[_Read], wanted: Sequence[NewInvoice]
) -> list[Saved | RefusedInvoice]:
    answers: dict[int, Saved | RefusedInvoice] = {}
    good = _once_each(read, wanted, answers)
    who = _contacts(organization, good, answers)
    numbers = [each.number for n, each in good.items() if n not in answers]
    rows = Invoice.objects.for_organization(organization).filter(number__in=numbers)
    known = {row.number: row for row in rows.order_by("number").select_for_update(no_key=True)}
    now = clock.now()
    for n, each in good.items():
        if n not in answers:
            invoice = known.get(each.number)
            answers[n] = (
                _new(organization, each, who[n], now)
                if invoice is None
                else _merged(invoice, each, who.get(n), now)
            )
    done = [answer for answer in answers.values() if isinstance(answer, Saved)]
    created = [answer.invoice for answer in done if answer.outcome == "created"]
    changed = [answer.invoice for answer in done if answer.outcome == "changed"]
    # In the order of the numbers, as they were locked.
    Invoice.across_organizations.bulk_create(sorted(created, key=lambda invoice: invoice.number))
    _write(organization, changed)
    plans.look_again(organization, [invoice.id for invoice in created + changed])
    return [answers[n] for n in range(len(wanted))]


def _once_each(
    read: Sequence[_Read], wanted: Sequence[NewInvoice], answers: dict[int, Saved | RefusedInvoice]
) -> dict[int, NewInvoice]:
    good: dict[int, NewInvoice] = {}
    numbers: set[str] = set()
    for n, each in enumerate(read):
        if isinstance(each, list):
            answers[n] = RefusedInvoice(wanted[n].number, each)
        elif each.number in numbers:
            answers[n] = _refused(each, "number", "repeated", _("This number came before in the same batch."))
        else:
            numbers.add(each.number)
            good[n] = each
    return good


def _contacts(
    organization: Organization, good: dict[int, NewInvoice], answers: dict[int, Saved | RefusedInvoice]
) -> dict[int, UUID]:
    """Who each is for, as far as that is said."""
    named = {n: each.contact_id for n, each in good.items() if each.contact_id is not None}
    there = customers.known(organization, set(named.values()))
    for n, contact_id in named.items():
        if contact_id not in there:
            answers[n] = _refused(good[n], "contact_id", "unknown_contact", _("There is no such contact."))
    described = {n: each.customer for n, each in good.items() if each.customer is not None}
    found = customers.find_or_add(organization, list(described.values()))
    return named | dict(zip(described, found, strict=True))


def _new(
    organization: Organization, wanted: NewInvoice, contact_id: UUID, now: datetime
) -> Saved | RefusedInvoice:
    if wanted.amount is None or wanted.due_on is None:  # a change of something that has gone
        raise NotFound
    values = {"currency": CURRENCY} | wanted.said()
    invoice = Invoice(
        organization=organization, number=wanted.number, contact_id=contact_id,
        created_at=now, changed_at=now, **values,
    )  # fmt: skip
    changes = {name: (None, value) for name, value in values.items()}
    return _mismatch(wanted, invoice) or Saved(invoice, "created", changes)


def _merged(
    invoice: Invoice, wanted: NewInvoice, contact_id: UUID | None, now: datetime
) -> Saved | RefusedInvoice:
    said = wanted.said() | ({} if contact_id is None else {"contact_id": contact_id})
    before = audit.snapshot(invoice, said)
    for name, value in said.items():
        setattr(invoice, name, value)
    changes = audit.difference(before, invoice)
    if not changes:
        return Saved(invoice, "unchanged")
    money = [name for name in _MONEY if name in changes]
    if money and invoice.status in {InvoiceStatus.PAID, InvoiceStatus.CANCELLED}:
        return _refused(wanted, money[0], InvoiceSettled.default_code, str(InvoiceSettled.default_detail))
    if money and invoice.paid_amount and ("currency" in money or invoice.amount <= invoice.paid_amount):
        detail = _("Part of it was paid, so it can only become another amount that is above that.")
        return _refused(wanted, money[0], "partly_paid", detail)
    if "amount" in changes or "pix_code" in changes:
        refused = _mismatch(wanted, invoice)
        if refused is not None:
            return refused
    invoice.changed_at = now
    return Saved(invoice, "changed", changes)


def _mismatch(wanted: NewInvoice, invoice: Invoice) -> RefusedInvoice | None:
    """A code that would collect another amount than the reminder names."""
    if not invoice.pix_code:
        return None
    amount = pix.check(invoice.pix_code).amount
    if amount is None or (amount == invoice.amount_due and invoice.currency == CURRENCY):
        return None
    detail = _("The Pix code collects %(amount)d cents, and %(due)d are due.")
    said = {"amount": amount, "due": invoice.amount_due}
    return _refused(wanted, "pix_code", "pix_amount_differs", detail % said)


def _refused(wanted: NewInvoice, field: str, code: str, detail: str) -> RefusedInvoice:
    return RefusedInvoice(wanted.number, [Mistake(field, code, detail)])


def _write(organization: Organization, changed: Sequence[Invoice]) -> None:
    """Locked before, so in any order."""
    if not changed:
        return
    names = ("id", "changed_at", *_COLUMNS)
    rows = [{name: getattr(invoice, name) for name in names} for invoice in changed]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE invoice
               SET contact_id = wanted.contact_id, amount = wanted.amount, currency = wanted.currency,
                   due_on = wanted.due_on, payment_url = wanted.payment_url, pix_code = wanted.pix_code,
                   boleto_line = wanted.boleto_line, tags = wanted.tags, metadata = wanted.metadata,
                   changed_at = wanted.changed_at
              FROM json_to_recordset(%(rows)s::json) AS wanted (
                   id uuid, contact_id uuid, amount bigint, currency text, due_on date, payment_url text,
                   pix_code text, boleto_line text, tags text[], metadata jsonb, changed_at timestamptz)
             WHERE invoice.id = wanted.id AND invoice.organization_id = %(organization)s
            """,
            {"rows": orjson.dumps(rows).decode(), "organization": organization.id},
        )


def _noted(principal: Principal, answer: Saved | RefusedInvoice) -> Saved:
    if isinstance(answer, RefusedInvoice):
        raise refusal_of(answer)
    if answer.outcome != "unchanged":
        audit.record(
            principal.actor,
            f"invoice.{answer.outcome}",
            answer.invoice,
            organization=principal.organization,
            changes=answer.changes,
        )
    return answer


def _move(
    principal: Principal, invoice: Invoice, verb: str, into: Callable[[Invoice], InvoiceStatus | None]
) -> Invoice:
    """Into the status that `into` names; None where it is there already."""

    def moved(invoice: Invoice) -> Invoice:
        status = into(invoice)
        if status is None:
            return invoice
        changes = {"status": (invoice.status, status)}
        invoice.status, invoice.changed_at = status, clock.now()
        invoice.save(update_fields=["status", "changed_at"])
        plans.look_again(principal.organization, [invoice.id])
        audit.record(
            principal.actor, f"invoice.{verb}", invoice, organization=principal.organization, changes=changes
        )
        return invoice

    return in_flight.once_none_is(principal.organization, invoice.id, moved)


def _cancel(invoice: Invoice) -> InvoiceStatus | None:
    if invoice.status == InvoiceStatus.PAID:
        raise InvoiceSettled
    return None if invoice.status == InvoiceStatus.CANCELLED else InvoiceStatus.CANCELLED


def _dispute(invoice: Invoice) -> InvoiceStatus | None:
    if invoice.status == InvoiceStatus.DISPUTED:
        return None
    if not invoice.is_unpaid:
        raise InvoiceSettled
    return InvoiceStatus.DISPUTED


def _settle_dispute(invoice: Invoice) -> InvoiceStatus | None:
    if invoice.is_unpaid:
        return None
    if invoice.status != InvoiceStatus.DISPUTED:
        raise InvoiceNotDisputed
    return InvoiceStatus.PARTLY_PAID if invoice.paid_amount else InvoiceStatus.OPEN
