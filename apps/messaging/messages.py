"""What people and programs do with messages that were accepted."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core.api.problems import Conflict
from apps.messaging.engine import cancel as engine
from apps.messaging.models import Message
from apps.messaging.statuses import Status


class TooLate(Conflict):
    default_code = "too_late"
    default_detail = _("This message has left already, or it has ended: it cannot be taken back.")


@transaction.atomic
def cancel(principal: Principal, message: Message) -> Message:
    """A message that was cancelled before stays so: asking again is no mistake."""
    organization = principal.organization
    before = message.status
    if engine.cancel(organization, message.conversation_id, message.pk):
        message.status = Status.CANCELLED
        audit.record(
            principal.actor,
            "message.cancelled",
            message,
            organization=organization,
            changes={"status": (before, Status.CANCELLED)},
        )
        return message
    now = Message.objects.for_organization(organization).filter(pk=message.pk).values_list("status", flat=True)
    status = now.first()
    if status is None:
        raise NotFound
    if status != Status.CANCELLED:
        raise TooLate
    message.status = Status.CANCELLED
    return message
