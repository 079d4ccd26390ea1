"""What an organization used of its month, on its page and in the list of all."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from apps.accounts.admin import sections
from apps.accounts.admin.organization import OrganizationAdmin
from apps.accounts.models import Organization
from apps.accounts.roles import Scope
from apps.core import clock
from apps.core.months import month_of
from apps.operations.quotas import used_by, used_this_month


def use(request: HttpRequest, organization: Organization) -> str:
    used, quota = used_this_month(organization.pk), organization.monthly_quota or 0
    context = {
        "month": month_of(clock.now()),
        "used": used,
        "quota": quota,
        "shown": min(used, quota),
        "left": max(0, quota - used),
        "percent": f"{min(100, 100 * used // quota)} %" if quota else "",
        "is_reached": organization.is_quota_reached,
    }
    return render_to_string("operations/admin/use.html", context, request)


sections.register(use, place=20, scope=Scope.ORGANIZATION_READ)
OrganizationAdmin.count_use = staticmethod(used_by)
