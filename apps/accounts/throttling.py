"""How fast one caller may ask, counted over all web processes."""

import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apps.accounts.principal import Principal
from apps.core.limiter import Grant, Limit, Limiter
from apps.core.redis import RedisError, is_left_alone, leave_alone, redis_client

logger = structlog.get_logger(__name__)


class CallerThrottle(BaseThrottle):
    """Counts a known caller by who they are, anybody else by where they come from.

    Without Redis nobody is limited: messages are accepted all the same, and the log says so.
    """

    _grant: Grant | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        if is_left_alone():
            return True
        limit = Limit(rate=settings.API_RATE_PER_SECOND, burst=settings.API_BURST)
        try:
            self._grant = Limiter(redis_client()).take(f"api:{_caller(request)}", limit)
        except RedisError as error:
            leave_alone()
            logger.warning("limit_not_checked", reason=type(error).__name__)
            return True
        view.grant = self._grant  # type: ignore[attr-defined]
        return self._grant.granted == 1

    def wait(self) -> float | None:
        return self._grant.retry_after if self._grant else None


def _caller(request: Request) -> str:
    if isinstance(request.user, Principal):
        return f"{request.user.actor.kind}:{request.user.actor.id}"
    return f"ip:{request.META.get('REMOTE_ADDR', '')}"
