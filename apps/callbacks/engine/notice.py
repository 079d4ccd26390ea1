"""Tell an organization's owners and administrators that Recado disabled an endpoint of theirs.

A notice that is due is a column of the endpoint, not a task: whoever sends it moves its time on first, so that one
that fails, or whose worker dies, is sent later.
"""

from datetime import timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from yarl import URL

from apps.accounts.models import Membership, User
from apps.accounts.roles import Role
from apps.callbacks.endpoints import SECRETS
from apps.callbacks.models import WebhookEndpoint
from apps.core import clock

AGAIN_AFTER = timedelta(minutes=10)
AT_ONCE = 50

logger = structlog.get_logger(__name__)


def due() -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.across_organizations.filter(notice_due_at__lte=clock.now())


def send_due() -> int:
    return sum(_send(endpoint) for endpoint in due().select_related("organization").defer(*SECRETS)[:AT_ONCE])


def _send(endpoint: WebhookEndpoint) -> bool:
    again_at = clock.now() + AGAIN_AFTER
    if not due().filter(pk=endpoint.pk).update(notice_due_at=again_at):
        return False  # somebody else sends it
    members = Membership.objects.for_organization(endpoint.organization).filter(
        role__in=[Role.OWNER, Role.ADMIN], user__is_active=True
    )
    try:
        for member in members.select_related("user"):
            _tell(member.user, endpoint)
    except (SMTPException, OSError) as error:
        logger.warning("notice_not_sent", endpoint_id=str(endpoint.pk), reason=type(error).__name__)
        return False
    WebhookEndpoint.across_organizations.filter(pk=endpoint.pk, notice_due_at=again_at).update(notice_due_at=None)
    return True


def _tell(user: User, endpoint: WebhookEndpoint) -> None:
    with translation.override(user.language or settings.LANGUAGE_CODE):
        host = URL(endpoint.url).host or ""
        page = reverse("admin:callbacks_webhookendpoint_change", args=[endpoint.pk])
        paragraphs = [
            _("%(organization)s is no longer told of events at this address:")
            % {"organization": endpoint.organization.name},
            endpoint.url,
            _("It was disabled because %(reason)s.") % {"reason": endpoint.get_disabled_reason_display()},
            _("What waited for it is kept for a while. When the address answers again, enable it here:"),
            settings.PUBLIC_URL + page,
            "--\nRecado",
        ]
        send_mail(
            _("Webhooks to %(host)s are disabled") % {"host": host}, "\n\n".join(paragraphs), None, [user.email]
        )
