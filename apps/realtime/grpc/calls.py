"""What every call has in common: who calls, in which language, how it is refused, and the line in the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

import grpc
import structlog
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated, PermissionDenied

from apps.accounts.authentication import WAYS, denial
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.accounts.throttling import caller_from, known_caller, take_one
from apps.core import tracing
from apps.core.api.problems import TooManyRequests
from apps.core.ids import new_id
from apps.realtime.grpc.refusals import Refusal, refusal_of

logger = structlog.get_logger(__name__)

type Context = grpc.aio.ServicerContext[Any, Any]
type Method[S, Q, A] = Callable[[S, Q, Context], Awaitable[A]]


@dataclass(frozen=True, slots=True)
class Caller:
    """What a call says about where it comes from."""

    authorization: str
    address: str

    @classmethod
    def of(cls, context: Context) -> "Caller":
        return cls(_metadata(context).get("authorization", ""), _address(context.peer()))

    def admitted(self, scope: Scope) -> Principal:
        """Who it is, if they may do this. Asks the database, so it is for a thread.

        As over REST: whoever fails is counted too, by where they come from.
        """
        try:
            principal = self._recognized()
        except AuthenticationFailed:
            count(caller_from(self.address))
            raise
        denied = denial(principal, scope)
        if denied is not None:
            raise denied
        count(known_caller(principal))
        return principal

    def credential(self) -> str:
        """The token or the key, for those who recognize it themselves."""
        scheme, _space, credential = self.authorization.partition(" ")
        if not any(scheme.lower() == way.scheme.lower() for way in WAYS):
            raise NotAuthenticated
        return credential.strip()

    def refusal(self) -> AuthenticationFailed:
        """Of a credential that is nobody's."""
        scheme = self.authorization.partition(" ")[0].lower()
        return next(way for way in WAYS if way.scheme.lower() == scheme)().refusal()

    def _recognized(self) -> Principal:
        for way in WAYS:
            found = way().read(self.authorization)
            if found is not None:
                principal, _claims = found
                known(organization_id=principal.organization.id, actor=known_caller(principal))
                return principal
        raise NotAuthenticated


def count(caller: str) -> None:
    grant = take_one(caller)
    if grant is not None and not grant.granted:
        raise TooManyRequests(
            _("Too many requests. Try again after the number of seconds in retry-after."), wait=grant.retry_after
        )


def known(*, organization_id: UUID, actor: str) -> None:
    """For the log, from here on."""
    structlog.contextvars.bind_contextvars(organization_id=str(organization_id), actor=actor)


def missing_scope(scope: Scope) -> APIException:
    return PermissionDenied(_("This needs the scope %(scope)s.") % {"scope": scope}, code="missing_scope")


def answered[S, Q, A](handle: Method[S, Q, A]) -> Method[S, Q, A]:
    """For the method of a servicer: it may raise whatever a view of the API may, or a Refusal."""
    name = handle.__qualname__

    @wraps(handle)
    async def method(servicer: S, request: Q, context: Context) -> A:
        # Each call is a task with a context of its own.
        structlog.contextvars.bind_contextvars(request_id=str(new_id()))
        translation.activate(_language(_metadata(context).get("accept-language", "")))
        started = time.monotonic()
        try:
            answer = await handle(servicer, request, context)
        except asyncio.CancelledError:
            _log(name, grpc.StatusCode.CANCELLED, started)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told, and the log
            refusal = refusal_of(error)
            _log(name, refusal.status, started, refusal, error)
        else:
            _log(name, grpc.StatusCode.OK, started)
            return answer
        return await context.abort(refusal.status, refusal.detail, refusal.metadata)

    return method


def traced[S, Q, A](handle: Method[S, Q, A]) -> Method[S, Q, A]:
    """For a call that is answered once: a stream would be a span of hours."""
    name = handle.__qualname__.replace(".", "/")

    @wraps(handle)
    async def method(servicer: S, request: Q, context: Context) -> A:
        with tracing.root(name, kind="server", caller=_metadata(context).get("traceparent")):
            return await handle(servicer, request, context)

    return method


def _log(
    name: str,
    status: grpc.StatusCode,
    started: float,
    refusal: Refusal | None = None,
    error: Exception | None = None,
) -> None:
    told: dict[str, Any] = {
        "method": name,
        "status": status.name,
        "ms": round((time.monotonic() - started) * 1000),
    }
    if refusal is not None:
        told["reason"] = refusal.code
    if status is grpc.StatusCode.INTERNAL:
        logger.error("call_failed", exc_info=error, **told)
    else:
        logger.info("call_finished", **told)


def _metadata(context: Context) -> dict[str, str]:
    return {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}


def _address(peer: str) -> str:
    """Of `ipv4:127.0.0.1:40122` and `ipv6:%5B::1%5D:40122`, whatever is not the port."""
    return peer.partition(":")[2].rpartition(":")[0] or peer


def _language(accepted: str) -> str:
    for code, _quality in parse_accept_lang_header(accepted):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
