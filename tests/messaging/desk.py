"""Where a test works: accept messages, drain, let time pass, and look at what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.models import ChannelAccount, ReplyWindow
from apps.channels.registry import connector_class
from apps.channels.simulators.target import secret_of
from apps.messaging.engine.accept import accept
from apps.messaging.engine.deliver import drain
from apps.messaging.engine.loop import Loop
from apps.messaging.engine.new_message import Accepted, NewMessage, Refused
from apps.messaging.models import Delivery, Message, MessageEvent
from tests.cast import House
from tests.messaging.provider import APP_SECRET

CREDENTIALS = {
    "whatsapp_cloud": {"phone_number_id": "100200300", "access_token": "token", "app_secret": APP_SECRET},
    "instagram": {"instagram_id": "17841400000000000", "access_token": "token", "app_secret": APP_SECRET},
    "telegram": {"bot_token": "100200300:token-of-the-bot-at-the-desk", "secret_token": "secret-of-the-desk"},
    "sms": {"account_sid": "AC" + "0" * 32, "auth_token": "token-of-the-desk", "sender": "+15005550006"},
    "evolution": {
        "server_url": "https://evolution.example",
        "instance": "desk",
        "api_key": "key-of-the-desk",
        "webhook_secret": "secret-of-the-desk-in-each-callback",
    },
    "email": {"server": "smtp.example:587", "security": "starttls", "from_address": "desk@aurora.example"},
    "webhook": {"signing_secret": secret_of(APP_SECRET)},
}
ANA, BIA, CAIO = "+5511912345601", "+5511912345602", "+5511912345603"


def open_account(house: House, connector: str, **policy: Any) -> ChannelAccount:
    """Fast by default: waits are for tests about waiting."""
    quick = {"rate_per_second": 10_000, "burst": 10_000, "retry_base_ms": 1, "unknown_wait": 60,
             # When people wrote is for tests about that.
             "reply_window": ReplyWindow.LEFT_TO_PROVIDER}  # fmt: skip
    return accounts.add(
        Principal.of_system(house.organization),
        connector=connector,
        name=f"{connector_class(connector).label} {policy.pop('name', 'main')}",
        credentials={**CREDENTIALS[connector], **policy.pop("credentials", {})},
        **{**quick, **policy},
    )


@dataclass
class Desk:
    organization: Organization
    account: ChannelAccount
    loop: Loop

    def accept(self, *texts: str, to: str = ANA, **values: Any) -> list[UUID]:
        wanted = [NewMessage(text=text, account_id=self.account.id, to=to, **values) for text in texts]
        return [answer.id for answer in self.answers(wanted) if isinstance(answer, Accepted)]

    def answers(self, wanted: list[NewMessage]) -> list[Accepted | Refused]:
        return accept(self.organization, wanted)

    def drain(self) -> dict[str, Any]:
        return self.loop.run(lambda own: drain(own, self.account.id))

    def change(self, **values: Any) -> None:
        self.account = accounts.change(Principal.of_system(self.organization), self.account, **values)

    def let_pass(self, seconds: float) -> None:
        """Everything that is due at some time is due so much sooner."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE delivery SET due_at = due_at - make_interval(secs => %s), "
                "expires_at = expires_at - make_interval(secs => %s)",
                [seconds, seconds],
            )

    def status(self, message_id: UUID) -> str:
        return Message.across_organizations.get(pk=message_id).status

    def statuses(self, message_ids: Iterable[UUID]) -> list[str]:
        found = Message.across_organizations.in_bulk(list(message_ids))
        return [found[message_id].status for message_id in message_ids]

    def story(self, message_id: UUID) -> list[str]:
        events = MessageEvent.across_organizations.filter(message=message_id).order_by("id")
        return list(events.values_list("kind", flat=True))

    def waiting(self) -> int:
        return Delivery.across_organizations.count()
