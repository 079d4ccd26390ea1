"""Ask somebody to register: by an application, with a first message, or an approved template as invitation."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.core import clock
from apps.core.api.problems import Conflict, field_error
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage, Refused, WantedTemplate
from apps.registration.conversation import advance, memory
from apps.registration.conversation.heard import Heard
from apps.registration.conversation.prepare import definition_of
from apps.registration.conversation.say import say
from apps.registration.conversation.settle import Settled, follow, write
from apps.registration.conversation.state import Step
from apps.registration.models import Registration, RegistrationFlow, StartedBy


class AlreadyRunning(Conflict):
    default_code = "already_running"
    default_detail = gettext_lazy("A registration is going on in this conversation.")


def start(
    principal: Principal,
    flow: RegistrationFlow,
    *,
    account_id: UUID,
    to: str,
    language: str = "",
    template: WantedTemplate | None = None,
) -> Registration:
    """Where the channel has a time to reply that is over, only a template can go first."""
    if flow.published is None or not flow.is_live:
        raise field_error("flow_id", "not_live", _("This flow is not live."))
    if account_id not in flow.accounts:
        detail = _("This is none of the flow's channel accounts: no answer would be heard there.")
        raise field_error("account_id", "not_of_the_flow", detail)
    definition = definition_of(flow.published)
    chosen = definition.language_for(language)
    step = Step(advance.invite()) if template else advance.begin(definition, Heard())
    text = say(definition, chosen, step.state, step.says)
    try:
        with transaction.atomic():
            message = NewMessage(text=text, account_id=account_id, to=to, template=template)
            (answer,) = accept(principal.organization, [message])
            if isinstance(answer, Refused):
                raise field_error(answer.field or "to", answer.code, answer.detail)
            registration = Registration(
                organization=principal.organization,
                flow=flow,
                version=flow.published,
                conversation_id=answer.place.conversation_id,
                contact_id=answer.place.contact_id,
                language=chosen,
                started_by=StartedBy.INVITATION if template else StartedBy.API,
                started_at=clock.now(),
            )
            settled = Settled(new=[registration])
            follow(settled, registration, definition, Step(step.state))
            write(settled)
            audit.record(
                principal.actor, "registration.started", registration, organization=principal.organization
            )
    except IntegrityError as error:
        if "registration_running" in str(error):
            raise AlreadyRunning from error
        raise
    memory.remember([(registration, step.state)])
    return registration
