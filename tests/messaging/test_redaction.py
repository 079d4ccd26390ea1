"""Words whose time is over."""

import pytest

from apps.channels.errors import Heard, MessageRejected
from apps.core.ids import new_id
from apps.messaging.engine.new_message import Step
from apps.messaging.engine.outcome import Result
from apps.messaging.engine.replay import replay
from apps.messaging.models import DeadLetter, Message, MessageFallback
from apps.messaging.redaction import REDACTED, redact
from tests.cast import House
from tests.messaging import history
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
    gone = new_id()
    assert redact([sent, dead, waiting, gone]) == {sent, dead, gone}
    assert redact([sent, dead, waiting]) == {sent, dead}
    texts = dict(Message.across_organizations.values_list("pk", "text"))
    assert texts == {sent: REDACTED, dead: REDACTED, waiting: f"Ainda {WORD}"}
    assert not MessageFallback.across_organizations.exists()
    assert replay(desk.organization, [DeadLetter.across_organizations.get().pk]) == []
    desk.drain()
    assert redact([waiting]) == {waiting}
    assert not traces_of(WORD)


def test_redaction_follows_forwards_and_other_ways(desk: Desk, provider: Provider) -> None:
    (heard,) = desk.accept(f"Ouvi {WORD}")
    desk.drain()
    (forward,) = desk.accept(f"Ouvi {WORD}", forwarded_from=heard)
    (other_way,) = desk.accept(f"Ouvi {WORD}", to=BIA, fallback_of=forward)
    assert redact([heard]) == set(), "what was made of it has not left"
    assert Message.across_organizations.get(pk=heard).text == REDACTED
    desk.drain()
    assert redact([heard]) == {heard}
    assert set(Message.across_organizations.values_list("pk", "text")) == {
        (each, REDACTED) for each in (heard, forward, other_way)
    }


def test_redaction_says_of_each_message_whether_it_is_done(desk: Desk, provider: Provider) -> None:
    one, other = desk.accept(f"Um {WORD}", f"Outro {WORD}")
    desk.drain()
    (forward,) = desk.accept(f"Um {WORD}", forwarded_from=one)
    assert redact([one, other]) == {other}
    assert redact([one, forward]) == set()


def test_what_a_provider_quoted_goes_with_the_words(aurora: House) -> None:
    message = history.queued(aurora, f"Um {WORD}")
    failure = MessageRejected("1", f"cannot send: Um {WORD}")
    failure.heard = Heard.of(400, f'{{"error": "cannot send: Um {WORD}"}}'.encode())
    history.leave(message, Result.FAILED, failure)
    assert traces_of(WORD)
    assert redact([message.pk]) == {message.pk}
    assert not traces_of(WORD)
