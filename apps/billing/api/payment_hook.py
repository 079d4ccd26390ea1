"""Where payment sources call. The signature is the only credential.

A plain view: it reads bytes, for those are signed, and takes no tokens, so that nobody tries any here.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, ErrorDetail, NotFound

from apps.accounts.throttling import caller_from, take_one
from apps.billing import payment_sources, payments
from apps.billing.models import Invoice, PaymentSource
from apps.billing.new_invoice import LONGEST_NUMBER, MOST_AMOUNT
from apps.core.api.json import FastJSONRenderer
from apps.core.api.problems import RETRY_SECONDS, problem_response
from apps.messaging.api import values
from apps.messaging.api.values import Wrong, fields_of

logger = structlog.get_logger(__name__)

MOST_BYTES = 256 * 1024
MOST_PAYMENTS = 100
# Of all payments of a call together, for reminders that are at a provider: a caller gives up after 15.
PATIENCE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Told:
    number: str = ""
    invoice_id: UUID | None = None
    amount: int | None = None
    paid_at: datetime | None = None
    external_id: str = ""


@dataclass(slots=True)
class Fate:
    """What became of one of them: a status of its invoice, `unknown_invoice` or `refused`."""

    result: str
    invoice_id: UUID | None = None
    errors: list[dict[str, str]] = field(default_factory=list)


@csrf_exempt
def payment_hook(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Each payment is written down, or not, by itself; all are told together."""
    if request.method != "POST":
        refusal = problem_response(405, "method_not_allowed", _("Payments are told of with POST."))
        refusal["Allow"] = "POST"
        return refusal
    grant = take_one(caller_from(request.META.get("REMOTE_ADDR", "")))
    if grant is not None and not grant.granted:
        refusal = problem_response(429, "too_many_requests", _("Too many requests. Try again later."))
        refusal["Retry-After"] = str(ceil(grant.retry_after))
        return refusal
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        detail = _("What tells of payments is at most %(most)d bytes long.") % {"most": MOST_BYTES}
        return problem_response(413, "body_too_large", detail)
    try:
        return _answer(request, source_id, body)
    except (OperationalError, InterfaceError):
        logger.exception("payment_not_stored")
        refusal = problem_response(503, "unavailable", _("It cannot be stored at the moment. Try again."))
        refusal["Retry-After"] = str(RETRY_SECONDS)
        return refusal


def _answer(request: HttpRequest, source_id: UUID, body: bytes) -> HttpResponse:
    source = PaymentSource.across_organizations.select_related("organization").filter(pk=source_id).first()
    if source is None:
        return problem_response(404, "not_found", _("There is no such payment source."))
    if not payment_sources.has_signed(source, request.headers, body):
        logger.warning("payment_refused", source_id=str(source_id), size=len(body))
        return problem_response(
            401, "bad_signature", _("This was not signed with the secret of this source, or long ago.")
        )
    try:
        told = _read(orjson.loads(body), request.headers["webhook-id"])
    except orjson.JSONDecodeError:
        return problem_response(400, "malformed_json", _("The body is not valid JSON."))
    except Wrong as wrong:
        return problem_response(400, wrong.code, f"{wrong.field}: {wrong.detail}" if wrong.field else wrong.detail)
    fates = _write_down(source, told)
    answer = [
        {"index": n, "result": fate.result, "invoice_id": fate.invoice_id, "errors": fate.errors}
        for n, fate in enumerate(fates)
    ]
    return HttpResponse(FastJSONRenderer().render({"payments": answer}), content_type="application/json")


def _read(given: object, webhook_id: str) -> list[Told | Wrong]:
    """One, or several of which each is read by itself. What has no id of its own gets one of the call's."""
    if not isinstance(given, dict) or "payments" not in given:
        return [_told(given, webhook_id)]
    items = fields_of(given, {"payments": values.each_of(lambda item: item, MOST_PAYMENTS)})["payments"]
    read: list[Told | Wrong] = []
    for n, item in enumerate(items):
        try:
            read.append(_told(item, f"{webhook_id}:{n}"))
        except Wrong as wrong:
            read.append(wrong)
    return read


def _told(given: object, external_id: str) -> Told:
    told = Told(**{"external_id": external_id} | fields_of(given, _FIELDS))
    if bool(told.number) == (told.invoice_id is not None):
        raise Wrong("required", _("Give either number or invoice_id."), "number")
    return told


def _external_id(value: object) -> str:
    return values.filled(values.short(payments.LONGEST_EXTERNAL_ID)(value))


_FIELDS: dict[str, Callable[[object], Any]] = {
    "number": values.short(LONGEST_NUMBER),
    "invoice_id": values.uuid,
    "amount": values.whole_number(1, MOST_AMOUNT),
    "paid_at": values.moment,
    "external_id": _external_id,
}


def _write_down(source: PaymentSource, told: Sequence[Told | Wrong]) -> list[Fate]:
    rows = Invoice.objects.for_organization(source.organization)
    numbers = {each.number for each in told if isinstance(each, Told) and each.number}
    by_number = dict(rows.filter(number__in=numbers).values_list("number", "pk")) if numbers else {}
    until = time.monotonic() + PATIENCE_SECONDS
    actor = payment_sources.actor_of(source)

    def fate(each: Told | Wrong) -> Fate:
        if isinstance(each, Wrong):
            return Fate("refused", errors=[_error(each.field, each.code, each.detail)])
        invoice_id = each.invoice_id or by_number.get(each.number)
        if invoice_id is None:
            return Fate("unknown_invoice")
        try:
            invoice = payments.pay(
                invoice_id, source.organization, each.amount, each.paid_at, each.external_id, actor, until=until
            )
        except NotFound:
            return Fate("unknown_invoice")
        except APIException as refusal:
            return Fate("refused", invoice_id, _errors(refusal))
        return Fate(invoice.status, invoice.pk)

    return [fate(each) for each in told]


def _errors(refusal: APIException) -> list[dict[str, str]]:
    if not isinstance(refusal.detail, dict):
        return [_error("", str(refusal.get_codes()), str(refusal.detail))]
    return [
        _error(name, detail.code or "invalid", str(detail))
        for name, details in refusal.detail.items()
        for detail in details
        if isinstance(detail, ErrorDetail)
    ]


def _error(field: str, code: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{field}".rstrip("/"), "code": code, "detail": detail}
