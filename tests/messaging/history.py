"""Messages in every state, made by the engine without a provider."""

from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.errors import MessageRejected, SendFailed
from apps.channels.models import ChannelAccount, ReplyWindow
from apps.messaging.engine.accept import accept
from apps.messaging.engine.claim import claim
from apps.messaging.engine.new_message import Accepted, NewMessage
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.record import record
from apps.messaging.models import Contact, Conversation, DeadLetter, Message
from tests.cast import CREDENTIALS, House

ANA, BIA = "+5511912345601", "+5511912345602"


def account_of(house: House, connector: str = "whatsapp_cloud") -> ChannelAccount:
    known = ChannelAccount.objects.for_organization(house.organization).filter(connector=connector).first()
    return known or accounts.add(
        Principal.of_system(house.organization),
        connector=connector,
        name=f"{connector} of {house.organization.slug}",
        credentials=CREDENTIALS[connector],
        rate_per_second=10_000,
        burst=10_000,
        reply_window=ReplyWindow.LEFT_TO_PROVIDER,
    )


def queued(
    house: House, text: str | None = None, *, to: str = ANA, reference: str = "", connector: str = "whatsapp_cloud"
) -> Message:
    said = text or f"A word from {house.organization.slug}"
    wanted = NewMessage(said, account_of(house, connector).id, to, reference=reference)
    (answer,) = accept(house.organization, [wanted])
    assert isinstance(answer, Accepted)
    return Message.across_organizations.get(pk=answer.id)


def leave(message: Message, result: Result = Result.SENT, error: SendFailed | None = None) -> Message:
    """Claimed and recorded, as a drain does; whatever else is due stays. It must be first in its conversation."""
    claimed = claim(message.account, 1000)
    provider_id = f"wamid.{message.pk}" if result is Result.SENT else None
    outcomes = [
        Outcome(
            delivery.message_id,
            delivery.conversation_id,
            claimed.lease,
            result if delivery.message_id == message.pk else Result.RETURNED,
            provider_id=provider_id,
            error=error,
            milliseconds=12,
        )
        for delivery in claimed.deliveries
    ]
    assert record(outcomes).number == len(outcomes)
    message.refresh_from_db()
    assert message.status == result
    return message


def sent(house: House, text: str | None = None, *, to: str = ANA) -> Message:
    return leave(queued(house, text, to=to))


def dead(house: House, *, to: str = BIA, code: str = "131047") -> DeadLetter:
    message = leave(queued(house, to=to), Result.FAILED, MessageRejected(code, "more than a day since they wrote"))
    return DeadLetter.across_organizations.get(message=message)


def conversation(house: House) -> Conversation:
    return queued(house).conversation


def contact(house: House) -> Contact:
    return queued(house).conversation.contact
