"""Send one message: what REST and gRPC have in common."""

from apps.accounts.models import Organization
from apps.channels.content import as_document
from apps.channels.models import ChannelAccount
from apps.messaging.api.bodies import as_problem, read_message
from apps.messaging.api.refusals import refusal_of
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted
from apps.messaging.models import Conversation, Message


def send(organization: Organization, body: object) -> Message:
    """The message that was accepted. Raises what the API answers with where it was not."""
    wanted = read_message(body)
    if isinstance(wanted, list):
        raise as_problem(wanted)
    (answer,) = accept(organization, [wanted])
    if not isinstance(answer, Accepted):
        raise refusal_of(answer)
    return _as_stored(answer)


def _as_stored(accepted: Accepted) -> Message:
    """What a reader would find in the database, without looking."""
    wanted, place = accepted.wanted, accepted.place
    return Message(
        id=accepted.id,
        account=ChannelAccount(id=place.account_id, connector=place.connector),
        conversation=Conversation(id=place.conversation_id, address=place.address),
        text=accepted.content.text,
        content=as_document(accepted.content),
        category=accepted.category,
        reply_to_id=wanted.reply_to,
        template_id=accepted.template_id,
        priority=wanted.priority,
        reference=wanted.reference,
        metadata=wanted.metadata,
        scheduled_at=wanted.scheduled_at,
        expires_at=accepted.expires_at,
        created_at=accepted.created_at,
    )
