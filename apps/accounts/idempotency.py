"""`Idempotency-Key`: a request that is repeated is carried out once and answered the same.

The record of the answer is written in the transaction that creates, so there is no moment in which one of
them exists alone. An advisory lock, held by that transaction, is what "still in flight" means: it goes with
its connection, so a process that dies leaves nothing behind that would have to time out.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView
from apps.accounts.models import IdempotencyRecord, Organization
from apps.accounts.principal import Actor, Principal
from apps.core import clock
from apps.core.api.json import FastJSONRenderer
from apps.core.api.problems import Conflict, Problem, Unprocessable
from apps.core.encryption import keyring
from apps.core.ids import new_id
from apps.core.prepared import prepared_cursor

HEADER = "Idempotency-Key"
_ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,255}")

type Handler[V: ApiView, **P] = Callable[Concatenate[V, Request, P], HttpResponseBase]


class BadIdempotencyKey(Problem):
    default_code = "bad_idempotency_key"
    default_detail = _("Idempotency-Key must be 1 to 255 visible ASCII characters; a UUID is a good choice.")


class IdempotencyKeyReused(Unprocessable):
    default_code = "idempotency_key_reused"
    default_detail = _("This Idempotency-Key came with another request before. Use a new one for a new request.")


class TooDeep(Problem):
    default_code = "nested_too_deep"
    default_detail = _("The body is nested too deep.")


class StillInFlight(Conflict):
    default_code = "idempotency_in_flight"
    default_detail = _("The first request with this Idempotency-Key is still being carried out. Ask again.")


class _LostRace(Exception):
    """Another request with this key committed between our look and our record."""


@dataclass(frozen=True, slots=True)
class _Request:
    organization: Organization
    key: str
    fingerprint: bytes


def idempotent[V: ApiView, **P](handle: Handler[V, P]) -> Handler[V, P]:
    """For the method of a view that creates; runs it in a transaction."""

    @wraps(handle)
    def once(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        key = request.headers.get(HEADER)
        if key is None:
            return handle(view, request, *args, **kwargs)
        target = f"{request.method} {request.path}"
        return carry_out_once(
            view.principal, key, target, request.data, lambda: handle(view, request, *args, **kwargs)
        )

    once.is_idempotent = True  # type: ignore[attr-defined]
    return once


def carry_out_once(
    principal: Principal, key: str, target: str, body: object, handle: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Runs `handle` in a transaction, unless this key was answered before. `target` is method and address."""
    if not _ACCEPTABLE.fullmatch(key):
        raise BadIdempotencyKey
    asked = _Request(principal.organization, key, _fingerprint(principal.actor, target, body))
    try:
        return _carry_out(asked, handle)
    except _LostRace:
        # The winner's record is there now, and will be found.
        return _carry_out(asked, handle)


@transaction.atomic
def _carry_out(asked: _Request, handle: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    is_ours, kept = _look(asked)
    if kept is not None:
        return _replay(asked, *kept)
    if not is_ours:
        raise StillInFlight(wait=1)
    response = handle()
    if isinstance(response, Response) and response.status_code < 300:
        _keep(asked, response)
    return response


def _fingerprint(actor: Actor, target: str, body: object) -> bytes:
    """Of who asks, the method, the address and the body's content; spaces and the order of fields do not count.

    Who asks is part of it: an answer may hold a secret that a lesser caller must not be shown.
    """
    try:
        written = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:  # nested deeper than can be written again
        raise TooDeep from error
    return hashlib.sha256(f"{actor.kind}:{actor.id} {target}\n".encode() + written).digest()


def _look(asked: _Request) -> tuple[bool, tuple[bytes, int, str] | None]:
    """In one round trip: is it ours to carry out, and what was answered before."""
    with prepared_cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_try_advisory_xact_lock(hashtextextended('idempotency' || %(organization)s || %(key)s, 0)),
                   record.fingerprint, record.status, record.body
              FROM (SELECT 1) AS always
              LEFT JOIN idempotency_record AS record
                     ON organization_id = %(organization)s::uuid AND key = %(key)s AND created_at > %(oldest)s
            """,
            {"organization": str(asked.organization.id), "key": asked.key, "oldest": _oldest_valid()},
        )
        is_ours, fingerprint, status, body = cursor.fetchone()
    return is_ours, None if fingerprint is None else (bytes(fingerprint), status, body)


def _replay(asked: _Request, fingerprint: bytes, status: int, body: str) -> HttpResponse:
    if fingerprint != asked.fingerprint:
        raise IdempotencyKeyReused
    response = HttpResponse(keyring().decrypt(body), status=status, content_type=FastJSONRenderer.media_type)
    response["Idempotency-Replayed"] = "true"
    response["Cache-Control"] = "no-store"
    return response


def _keep(asked: _Request, response: Response) -> None:
    body = FastJSONRenderer().render(response.data).decode()
    with prepared_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO idempotency_record AS record
                        (id, organization_id, key, fingerprint, status, body, created_at)
                 VALUES (%(id)s, %(organization)s, %(key)s, %(fingerprint)s, %(status)s, %(body)s, %(now)s)
            ON CONFLICT (organization_id, key) DO UPDATE
                    SET fingerprint = EXCLUDED.fingerprint, status = EXCLUDED.status,
                        body = EXCLUDED.body, created_at = EXCLUDED.created_at
                  WHERE record.created_at <= %(oldest)s  -- expired, and not yet removed
            """,
            {
                "id": new_id(),
                "organization": asked.organization.id,
                "key": asked.key,
                "fingerprint": asked.fingerprint,
                "status": response.status_code,
                "body": keyring().encrypt(body),
                "now": clock.now(),
                "oldest": _oldest_valid(),
            },
        )
        if cursor.rowcount == 0:
            raise _LostRace


def _oldest_valid() -> datetime:
    return clock.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)


def expired_records() -> QuerySet[IdempotencyRecord]:
    return IdempotencyRecord.across_organizations.filter(created_at__lte=_oldest_valid())
