"""A person who writes, a flow that answers, and what became of both."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from apps.channels.callback import Inbound
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.engine.incoming import take_in
from apps.messaging.engine.loop import Loop
from apps.messaging.models import Message
from apps.registration import flows
from apps.registration.conversation import converse
from apps.registration.models import Registration, RegistrationFlow
from tests.cast import House
from tests.messaging.desk import ANA, open_account

CONSENT = "Guardamos seus dados só para o cadastro. Para apagar, é só pedir."
QUESTIONS: list[dict[str, Any]] = [{"kind": "name"}, {"kind": "email"}, {"kind": "tax_id", "required": False}]


def definition(*questions: Mapping[str, Any], **texts: str) -> dict[str, Any]:
    return {
        "languages": ["pt-BR", "en"],
        "questions": list(questions or QUESTIONS),
        "texts": {"pt-BR": {"consent": CONSENT, **texts}, "en": {"consent": "We keep your data to register you."}},
    }


def live_flow(
    house: House, account: ChannelAccount, *questions: Mapping[str, Any], **values: Any
) -> RegistrationFlow:
    given = {"name": "Cadastro", "accounts": [account.id], "keywords": ["cadastro"]} | values
    flow = flows.add(house.principal(), **given)
    flows.publish(house.principal(), flow, definition(*questions))
    return flows.go_live(house.principal(), flow)


class Person:
    """Somebody who writes to an account."""

    def __init__(self, account: ChannelAccount, address: str = ANA) -> None:
        self.account = account
        self.address = address
        self._written = 0

    @transaction.atomic
    def writes(self, *texts: str) -> None:
        """In the transaction of a callback."""
        said = []
        for text in texts:
            self._written += 1
            said.append(
                (
                    self.account,
                    Inbound(
                        "100200300", f"in.{self.address}.{self._written}", self.address, clock.now(), text=text
                    ),
                )
            )
        take_in(said)

    def says(self, *texts: str) -> str:
        """And is heard. The last answer."""
        before = len(self.answers())
        for text in texts:
            self.writes(text)
            hear()
        answers = self.answers()
        return answers[-1] if len(answers) > before else ""

    def answers(self) -> list[str]:
        told = Message.across_organizations.filter(direction="outbound", conversation__address=self.address)
        return list(told.filter(account=self.account).order_by("id").values_list("text", flat=True))

    @property
    def registration(self) -> Registration:
        rows = Registration.across_organizations.filter(conversation__address=self.address)
        return rows.filter(conversation__account=self.account).latest("id")


def hear() -> int:
    """All that waits."""
    with _loop() as loop:
        return loop.run(converse.converse).get("heard", 0)


@contextmanager
def _loop() -> Iterator[Loop]:
    loop = Loop()
    try:
        yield loop
    finally:
        loop.close()


def counter(house: House, connector: str = "whatsapp_cloud") -> ChannelAccount:
    return open_account(house, connector)
