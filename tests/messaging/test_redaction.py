"""Words whose time is over."""

import pytest

from apps.core.ids import new_id
from apps.messaging.engine.new_message import Step
from apps.messaging.engine.replay import replay
from apps.messaging.models import DeadLetter, Message, MessageFallback
from apps.messaging.redaction import REDACTED, redact
from tests.cast import House
from tests.messaging.desk import BIA, Desk
from tests.messaging.provider import Provider
from tests.traces import traces_of

pytestmark = pytest.mark.django_db(transaction=True)
WORD = "jacaranda"


def test_words_whose_time_is_over_are_redacted(desk: Desk, aurora: House, provider: Provider) -> None:
    (sent,) = desk.accept(f"Um {WORD}", fallback=(Step(account_id=desk.account.id, to=BIA),))
    desk.drain()
    provider.break_with({"kind": "blocked", "times": 1})
    (dead,) = desk.accept(f"Outro {WORD}")
    desk.drain()
    (waiting,) = desk.accept(f"Ainda {WORD}", to=BIA)
    assert redact([sent, dead, waiting, new_id()]) == 2
    assert redact([sent, dead, waiting]) == 0
    texts = dict(Message.across_organizations.values_list("pk", "text"))
    assert texts == {sent: REDACTED, dead: REDACTED, waiting: f"Ainda {WORD}"}
    assert not MessageFallback.across_organizations.exists()
    assert replay(desk.organization, [DeadLetter.across_organizations.get().pk]) == []
    desk.drain()
    assert redact([waiting]) == 1
    assert not traces_of(WORD)
