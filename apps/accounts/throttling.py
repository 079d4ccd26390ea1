"""How fast one caller may ask, counted over all web processes."""

import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apps.accounts.principal import Operator, Principal
from apps.core.limiter import Grant, Limit, Limiter
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client

logger = structlog.get_logger(__name__)


class CallerThrottle(BaseThrottle):
    """Counts a known caller by who they are, anybody else by where they come from.

    Without Redis nobody is limited: messages are accepted all the same, and the log says so.
    """

    _grant: Grant | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._grant = take_one(_caller(request))
        if self._grant is None:
            return True
        view.grant = self._grant  # type: ignore[attr-defined]
        return self._grant.granted == 1

    def wait(self) -> float | None:
        return self._grant.retry_after if self._grant else None


def take_one(caller: str) -> Grant | None:
    """None when it cannot be counted."""
    if is_left_alone():
        return None
    limit = Limit(rate=settings.API_RATE_PER_SECOND, burst=settings.API_BURST)
    try:
        return Limiter(redis_client()).take(f"api:{caller}", limit)
    except RedisError as error:
        leave_alone()
        logger.warning("limit_not_checked", reason=type(error).__name__)
        return None


def known_caller(principal: Principal | Operator) -> str:
    return f"{principal.actor.kind}:{principal.actor.id}"


def caller_from(address: str) -> str:
    return f"ip:{address}"


def _caller(request: Request) -> str:
    if isinstance(request.user, Principal | Operator):
        return known_caller(request.user)
    return caller_from(request.META.get("REMOTE_ADDR", ""))
