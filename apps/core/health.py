"""`/healthz`: this process answers. `/readyz`: it can do its work. `/metrics`: what it counted."""

from collections.abc import Callable
from functools import cache

from django.db import DatabaseError, InterfaceError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core.leaving import is_leaving
from apps.core.metrics import exposed
from apps.core.redis import RedisError, redis_client

OK = "ok"
LIVE = "/healthz"


class Probes:
    """Middleware, the first of all: probes come by address and not by name, over plain HTTP, every second."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path)
        return probe(request) if probe else self._get_response(request)


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": OK})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """503 takes this process out of service, so it is for what stops all work, and for a process that is leaving.

    Redis does not: messages are accepted without it. Were its loss a 503, one stopped Redis would take
    every web process out of service at once.
    """
    if is_leaving():
        return JsonResponse({"status": "draining", "checks": {}}, status=503)
    database = _database()
    vital = {"database": database, "migrations": _migrations() if database == OK else database}
    checks = {**vital, "redis": _redis()}
    ready = all(state == OK for state in vital.values())
    status = OK if all(state == OK for state in checks.values()) else "degraded" if ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if ready else 503)


def _state[**P](check: Callable[P, str]) -> Callable[P, str]:
    """Says only that something is down: the page is open to everybody, and errors name hosts and users."""

    def run(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            return check(*args, **kwargs)
        except (DatabaseError, InterfaceError, RedisError):
            return "down"

    return run


@_state
def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


@_state
def _migrations() -> str:
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT app, name FROM django_migrations")
        except ProgrammingError:  # the table does not exist yet
            return "pending"
        return OK if _known_migrations() <= set(cursor.fetchall()) else "pending"


@_state
def _redis() -> str:
    redis_client().ping()
    return OK


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    LIVE: healthz,
    "/readyz": readyz,
    exposed.PATH: exposed.metrics,
}
