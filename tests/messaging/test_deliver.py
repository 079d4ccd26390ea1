import pytest

from tests.messaging.desk import ANA, BIA, Desk
from tests.messaging.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)


def test_drain_sends_what_was_accepted(desk: Desk, provider: Provider) -> None:
    messages = desk.accept("Bom dia", to=ANA) + desk.accept("Boa tarde", to=BIA)

    tally = desk.drain()

    assert tally == {"account": desk.account.name, "claimed": 2, "sent": 2}
    assert desk.statuses(messages) == ["sent", "sent"]
    assert provider.received_by(ANA) == [str(messages[0])]
    assert desk.story(messages[0]) == ["queued", "sending", "sent"]
    assert desk.waiting() == 0


def test_drain_keeps_the_order_of_a_conversation(desk: Desk, provider: Provider) -> None:
    messages = desk.accept(*[f"Linha {n}" for n in range(20)], to=ANA)

    desk.drain()

    assert provider.received_by(ANA) == [str(message) for message in messages]
