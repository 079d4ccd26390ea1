"""Tickets for WebSockets."""

from typing import Any

import structlog
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import ApiView
from apps.accounts.roles import Scope
from apps.accounts.tokens import Claims
from apps.core.api.problems import Problem
from apps.core.redis import RedisError
from apps.realtime import tickets

logger = structlog.get_logger(__name__)


class NoTickets(Problem):
    status_code = 503
    default_code = "unavailable"
    default_detail = _("No ticket can be given at the moment. Try again, or send the token in the first frame.")


class Ticket(serializers.Serializer[Any]):
    ticket = serializers.CharField(help_text="Opens one connection: `/ws/status?ticket=…`.")
    expires_in = serializers.IntegerField(help_text="Seconds until it opens none.")


class TicketsView(ApiView):
    scopes = {"POST": Scope.MESSAGES_READ}

    @extend_schema(request=None, responses={201: Ticket}, operation_id="realtime_tickets_create")
    def post(self, request: Request) -> Response:
        """A ticket for one WebSocket, where no header can be sent and no token should stand in an address."""
        way = request.auth if isinstance(request.auth, Claims) else self.principal.actor.id
        assert way is not None
        try:
            ticket = tickets.issue(way)
        except RedisError as error:
            logger.warning("ticket_not_issued", reason=type(error).__name__)
            raise NoTickets from error
        body = {"ticket": ticket, "expires_in": tickets.SECONDS}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})
