"""How much waits at an account, and what failed there for good, is counted by the clock."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.messaging.models import DeadLetter, Delivery
from apps.operations.look import look
from apps.operations.models import Standing
from tests.cast import House
from tests.messaging import history

pytestmark = pytest.mark.django_db


def standing(house: House, connector: str = "whatsapp_cloud") -> Standing:
    return Standing.across_organizations.get(account=history.account_of(house, connector))


def test_what_waits_is_counted_by_account(aurora: House, boreal: House) -> None:
    before = clock.now()
    for to in (history.ANA, history.BIA):
        history.queued(aurora, to=to)
    later = history.queued(aurora, to="+5511912345699")
    tomorrow = before + timedelta(days=1)
    Delivery.across_organizations.filter(message=later).update(state="scheduled", due_at=tomorrow)
    history.account_of(boreal)
    assert look() == 2
    found = standing(aurora)
    assert (found.waiting, found.scheduled) == (2, 1)
    assert found.oldest_due_at is not None
    assert before - timedelta(seconds=1) <= found.oldest_due_at <= clock.now() + timedelta(seconds=1)
    assert (standing(boreal).waiting, standing(boreal).oldest_due_at) == (0, None)


def test_dead_letters_are_counted_by_kind_while_they_are_open(aurora: House) -> None:
    letters = [history.dead(aurora, to=to) for to in (history.ANA, history.BIA)]
    look()
    assert standing(aurora).dead_letters == {"message_rejected": 2}
    DeadLetter.across_organizations.filter(pk=letters[0].pk).update(state="discarded")
    look()
    assert standing(aurora).dead_letters == {"message_rejected": 1}
    DeadLetter.across_organizations.update(state="resolved")
    look()
    assert standing(aurora).dead_letters == {}
