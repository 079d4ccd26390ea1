"""The webhook endpoints of an organization, with how their last calls ended: a section of its page."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.admin import sections
from apps.accounts.models import Organization
from apps.accounts.roles import Scope
from apps.callbacks.endpoints import SECRETS
from apps.callbacks.models import DeliveryState, WebhookEndpoint

MOST_ENDPOINTS = 8
LAST_CALLS = 5


def endpoints(request: HttpRequest, organization: Organization) -> str:
    theirs = WebhookEndpoint.across_organizations.filter(organization=organization).defer(*SECRETS)
    found = list(theirs.order_by("-pk")[: MOST_ENDPOINTS + 1])
    calls = _last_calls([endpoint.pk for endpoint in found[:MOST_ENDPOINTS]])
    context = {
        "endpoints": [(endpoint, calls[endpoint.pk]) for endpoint in found[:MOST_ENDPOINTS]],
        "has_more": len(found) > MOST_ENDPOINTS,
        "url": sections.listed(request, reverse("admin:callbacks_webhookendpoint_changelist"), organization),
        "deliveries_url": reverse("admin:callbacks_webhookdelivery_changelist"),
    }
    return render_to_string("callbacks/admin/of_organization.html", context, request)


def _last_calls(endpoint_ids: Sequence[UUID]) -> defaultdict[UUID, list[tuple[str, str]]]:
    """State, as a word for programs and one for people; the newest first."""
    calls = defaultdict[UUID, list[tuple[str, str]]](list)
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [list(endpoint_ids), LAST_CALLS])
        for endpoint_id, state in cursor.fetchall():
            calls[endpoint_id].append((state, str(DeliveryState(state).label)))
    return calls


_LAST = """
SELECT endpoint.id, delivery.state
  FROM unnest(%s::uuid[]) AS endpoint (id),
       LATERAL (SELECT id, state
                  FROM webhook_delivery
                 WHERE endpoint_id = endpoint.id
                 ORDER BY id DESC
                 LIMIT %s) AS delivery
 ORDER BY delivery.id DESC
"""

sections.register(endpoints, place=50, scope=Scope.WEBHOOKS_READ)
