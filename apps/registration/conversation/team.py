"""What is for a person of the team: a label in the inbox, and Recado silent until they hand it back."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext

from apps.accounts.models import Organization
from apps.core import clock
from apps.messaging import labels
from apps.registration.conversation import claim
from apps.registration.conversation.claim import hold
from apps.registration.conversation.heard import Heard, as_text
from apps.registration.conversation.prepare import Prepared
from apps.registration.models import Registration, Turn
from apps.registration.models import RegistrationState as Phase
from apps.registration.understanding.reading import Intent

LABEL_COLOR = "#b45309"


def label_name() -> str:
    """By which a conversation is found in the inbox: in the language of the installation."""
    with translation.override(settings.LANGUAGE_CODE):
        return gettext("Registration")


@transaction.atomic
def give_up(prepared: Prepared) -> None:
    """A message that cannot be worked on: crossed off, and shown to the team, which goes on with it."""
    claimed = prepared.claimed
    hold([claimed.conversation_id])
    if not claim.held([claimed]):
        return
    running = Registration.across_organizations.filter(conversation=claimed.conversation_id, ended_at=None)
    if not set_aside(running, claimed.message_id):
        organization = Organization.objects.get(pk=claimed.organization_id)
        labels.mark(organization, [claimed.conversation_id], label_name(), LABEL_COLOR)
    claim.release([claimed], {claimed.talk_id})


def set_aside(running: QuerySet[Registration], message_id: UUID | None = None) -> bool:
    """The one that is found is for a person of the team now. Of its words none is read: they may be unreadable."""
    registration = running.select_related("organization").defer("opening", "confirmed").first()
    if registration is None:
        return False
    organization, now, number = registration.organization, clock.now(), registration.turns + 1
    Turn.across_organizations.create(
        organization=organization,
        registration=registration,
        number=number,
        message_id=message_id,
        heard=as_text(Heard(Intent.HUMAN)),
        at=now,
    )
    rows = Registration.across_organizations.filter(pk=registration.pk)
    rows.update(state=Phase.WITH_PERSON, turns=number, look_at=None, changed_at=now)
    labels.mark(organization, [registration.conversation_id], label_name(), LABEL_COLOR)
    return True
