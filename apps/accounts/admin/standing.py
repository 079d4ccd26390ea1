"""How an organization stands, who is in it, which keys it has: the sections of its page that accounts knows."""

from django.db.models import Count, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.admin import sections
from apps.accounts.models import ApiKey, Membership, Organization
from apps.accounts.roles import RANK, Scope
from apps.core import clock

MOST_KEYS = 8


def standing(request: HttpRequest, organization: Organization) -> str:
    return render_to_string("accounts/admin/organization/standing.html", {"organization": organization}, request)


def members(request: HttpRequest, organization: Organization) -> str:
    theirs = Membership.across_organizations.filter(organization=organization)
    counts = dict(theirs.values_list("role").annotate(Count("pk")).order_by())
    url = reverse("admin:accounts_membership_changelist")
    context = {
        "roles": [
            (role.label, counts[role], sections.listed(request, url, organization, role__exact=role))
            for role in RANK
            if role in counts
        ],
        "total": sum(counts.values()),
        "url": sections.listed(request, url, organization),
    }
    return render_to_string("accounts/admin/organization/members.html", context, request)


def api_keys(request: HttpRequest, organization: Organization) -> str:
    live = ApiKey.across_organizations.filter(
        Q(expires_at=None) | Q(expires_at__gt=clock.now()), organization=organization, revoked_at=None
    )
    keys = list(live.defer("digest").order_by("-pk")[: MOST_KEYS + 1])
    context = {
        "keys": keys[:MOST_KEYS],
        "has_more": len(keys) > MOST_KEYS,
        "url": sections.listed(request, reverse("admin:accounts_apikey_changelist"), organization),
    }
    return render_to_string("accounts/admin/organization/api_keys.html", context, request)


sections.register(standing, place=10, scope=Scope.ORGANIZATION_READ)
sections.register(members, place=30, scope=Scope.MEMBERS_READ)
sections.register(api_keys, place=40, scope=Scope.API_KEYS_READ)
