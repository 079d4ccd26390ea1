"""Just before sending: what a person chose after a message was accepted counts, and so does the hour."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.messaging.consent import suppressions
from apps.messaging.consent.choices import (
    ALL,
    Choice,
    QuietHours,
    about_category,
    about_channel,
    choose,
    keep_quiet,
)
from apps.messaging.engine.claim import Claimed
from apps.messaging.engine.guard import Cleared, clear
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.recover import recover
from apps.messaging.models import (
    ConsentSource,
    Contact,
    ContactAddress,
    DeadLetter,
    Delivery,
    Message,
    MessageEvent,
)
from apps.messaging.statuses import Category
from tests.messaging.desk import ANA, BIA, Desk
from tests.messaging.provider import Provider

SAO_PAULO, NEW_YORK = "America/Sao_Paulo", "America/New_York"


def ana() -> Contact:
    return ContactAddress.across_organizations.select_related("contact").get(value=ANA).contact


def refuse(subject: str) -> None:
    choose(ana().pk, [Choice(subject, is_given=False)], ConsentSource.PAGE)


def suppress(category: str = "") -> None:
    suppressions.add(ana().organization_id, "phone", [ANA], ConsentSource.PAGE, category=category)


def last_event(message_id: UUID) -> MessageEvent:
    event = MessageEvent.across_organizations.filter(message=message_id).order_by("id").last()
    assert event is not None
    return event


CHANGES_OF_MIND: dict[str, Callable[[], None]] = {
    "left": lambda: refuse(ALL),
    "opted_out": suppress,
    "category_refused": lambda: refuse(about_category("marketing")),
    "channel_refused": lambda: refuse(about_channel("whatsapp_cloud")),
}


@pytest.mark.parametrize("reason", CHANGES_OF_MIND)
def test_message_that_is_not_wanted_any_more_is_cancelled(desk: Desk, provider: Provider, reason: str) -> None:
    (offer,) = desk.accept("Oferta", to=ANA, category="marketing")
    (other,) = desk.accept("Oferta", to=BIA, category="marketing")
    CHANGES_OF_MIND[reason]()

    desk.drain()

    assert desk.statuses([offer, other]) == ["cancelled", "sent"]
    assert provider.received_by(ANA) == []
    assert provider.received_by(BIA) == [str(other)]
    assert desk.story(offer) == ["queued", "sending", "cancelled"]
    detail = last_event(offer).detail
    assert (detail["error"], detail["code"]) == ("not_wanted", reason)
    assert detail["detail"]
    message = Message.across_organizations.get(pk=offer)
    assert (message.error_class, message.error_code, message.provider_id) == ("not_wanted", reason, None)
    assert desk.waiting() == 0
    assert not DeadLetter.across_organizations.exists()


def test_messages_that_a_person_still_wants_follow_those_that_are_cancelled(
    desk: Desk, provider: Provider
) -> None:
    offers = desk.accept(*[f"Oferta {n}" for n in range(5)], category="marketing")
    (order,) = desk.accept("Seu pedido saiu")
    refuse(about_category("marketing"))
    for _ in range(len(offers) + 1):
        desk.drain()
    assert desk.statuses([*offers, order]) == ["cancelled"] * 5 + ["sent"]
    assert provider.received_by(ANA) == [str(order)]


def test_message_for_later_is_looked_at_when_it_leaves(desk: Desk, provider: Provider) -> None:
    (message,) = desk.accept("Oferta", category="marketing", scheduled_at=clock.now() + timedelta(days=2))
    refuse(about_category("marketing"))
    with connection.cursor() as cursor:  # as the sweep does when its time has come
        cursor.execute("UPDATE delivery SET state = 'waiting', is_head = true, due_at = now()")
    desk.drain()
    assert desk.status(message) == "cancelled"
    assert provider.received_by(ANA) == []


def test_retry_is_looked_at_again(desk: Desk, provider: Provider) -> None:
    provider.break_with({"kind": "server_error", "times": 1})
    desk.change(retry_base_ms=600_000)
    (message,) = desk.accept("Oferta", category="marketing")
    desk.drain()
    assert desk.story(message)[-1] == "retrying"
    suppress()
    desk.let_pass(600)
    desk.drain()
    assert desk.status(message) == "cancelled"
    assert provider.received_by(ANA) == []


def test_what_was_ordered_is_refused_only_with_everything_else(desk: Desk) -> None:
    messages = desk.accept("Pedido", category="transactional")
    refuse(about_category("transactional"))
    suppress(category="marketing")
    desk.drain()
    assert desk.statuses(messages) == ["sent"]
    messages = desk.accept("Pedido")
    refuse(ALL)
    desk.drain()
    assert desk.statuses(messages) == ["cancelled"]


def test_address_can_be_suppressed_for_one_category(desk: Desk) -> None:
    (offer,) = desk.accept("Oferta", category="marketing")
    (bill,) = desk.accept("Boleto", category="billing")
    suppress(category="marketing")
    desk.drain()
    desk.drain()
    assert desk.statuses([offer, bill]) == ["cancelled", "sent"]


def test_what_recado_must_tell_passes_all_of_it(desk: Desk, provider: Provider) -> None:
    (first,) = desk.accept("Oi")
    desk.drain()
    for subject in (ALL, about_channel("whatsapp_cloud")):
        refuse(subject)
    suppress()
    quiet_now(ana())
    (goodbye,) = desk.accept("Até mais", category=Category.SERVICE)
    desk.drain()
    assert provider.received_by(ANA) == [str(first), str(goodbye)]


def quiet_now(contact: Contact) -> None:
    local = clock.now().astimezone(ZoneInfo(SAO_PAULO))
    begins, ends = (local + timedelta(hours=hours) for hours in (-1, 2))
    hours = QuietHours(begins.time().replace(microsecond=0), ends.time().replace(microsecond=0), SAO_PAULO)
    keep_quiet(contact.pk, hours, ConsentSource.PAGE)


def test_quiet_hours_hold_a_message_until_they_end_and_spend_no_attempt(desk: Desk, provider: Provider) -> None:
    (offer,) = desk.accept("Oferta", to=ANA, category="marketing")
    (other,) = desk.accept("Oferta", to=BIA, category="marketing")
    quiet_now(ana())
    desk.drain()
    assert desk.statuses([other]) == ["sent"]
    assert desk.story(offer) == ["queued", "sending", "held"]
    delivery = Delivery.across_organizations.get(message=offer)
    assert (delivery.attempt, delivery.state) == (0, "scheduled")
    assert abs((delivery.due_at - clock.now()).total_seconds() - 2 * 3600) < 60
    assert last_event(offer).detail["error"] == "quiet_hours"

    keep_quiet(ana().pk, None, ConsentSource.PAGE)
    desk.let_pass(2 * 3600)
    assert recover()["scheduled"] == 1
    desk.drain()
    assert provider.received_by(ANA) == [str(offer)]


def test_what_quiet_hours_hold_keeps_no_code_waiting(desk: Desk, provider: Provider) -> None:
    desk.accept("Oi")
    desk.drain()
    quiet_now(ana())
    (offer,) = desk.accept("Oferta", to=ANA, category="marketing")
    (code,) = desk.accept("Seu código: 1234", to=ANA)
    desk.drain()
    desk.drain()
    assert desk.statuses([code]) == ["sent"]
    assert str(offer) not in provider.received_by(ANA)


@pytest.mark.parametrize("category", [Category.TRANSACTIONAL, Category.SERVICE])
def test_quiet_hours_hold_nothing_that_was_asked_for(desk: Desk, category: str) -> None:
    desk.accept("Oi")
    desk.drain()
    quiet_now(ana())
    messages = desk.accept("Seu código: 1234", category=category)
    desk.drain()
    assert desk.statuses(messages) == ["sent"]


def at(zone: str, year: int, month: int, day: int, hour: int, minute: int, fold: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def until(now: datetime, begins: str, ends: str, zone: str = SAO_PAULO) -> datetime | None:
    """When the quiet hours in which it is now are over; None where it is not one."""
    delivery = Claimed(
        new_id(), new_id(), ANA, "Oi", 1, is_expired=False, category="marketing",
        quiet_from=time.fromisoformat(begins), quiet_until=time.fromisoformat(ends), time_zone=zone,
    )  # fmt: skip
    fate = clear(
        ChannelAccount(connector="whatsapp_cloud", reply_window="left_to_provider"), delivery, new_id(), now
    )
    if isinstance(fate, Cleared):
        return None
    assert isinstance(fate, Outcome)
    assert fate.result is Result.POSTPONED
    return now + timedelta(seconds=fate.seconds)


def test_quiet_hours_last_over_midnight() -> None:
    morning = at(SAO_PAULO, 2026, 6, 11, 8, 0)
    for moment in (at(SAO_PAULO, 2026, 6, 10, 22, 0), at(SAO_PAULO, 2026, 6, 11, 7, 59)):
        assert until(moment, "22:00", "08:00") == morning
    for moment in (at(SAO_PAULO, 2026, 6, 10, 21, 59), morning):
        assert until(moment, "22:00", "08:00") is None
    noon = at(SAO_PAULO, 2026, 6, 11, 12, 30)
    assert until(noon, "12:00", "14:00") == at(SAO_PAULO, 2026, 6, 11, 14, 0)
    assert until(noon, "12:30", "12:30") is None


def test_quiet_hours_are_the_persons_own() -> None:
    moment = at(SAO_PAULO, 2026, 6, 10, 23, 0)
    assert until(moment, "22:00", "08:00", "Asia/Tokyo") is None
    for unknown in ("", "Nowhere/Town", "America", "../etc/passwd"):
        assert until(moment, "22:00", "08:00", unknown) == at(SAO_PAULO, 2026, 6, 11, 8, 0)


def test_quiet_hours_end_by_the_clock_on_the_wall_when_it_is_changed() -> None:
    # Clocks are put forward at 2:00 on 8 March and back at 2:00 on 1 November.
    assert until(at(NEW_YORK, 2026, 3, 7, 23, 0), "22:00", "08:00", NEW_YORK) == at(NEW_YORK, 2026, 3, 8, 8, 0)
    assert until(at(NEW_YORK, 2026, 10, 31, 23, 0), "22:00", "08:00", NEW_YORK) == (
        at(NEW_YORK, 2026, 11, 1, 8, 0)
    )
    # An end that does not exist that night: a message waits no longer than the hour that was skipped.
    night = at(NEW_YORK, 2026, 3, 8, 1, 0)
    assert until(night, "22:00", "02:30", NEW_YORK) == night + timedelta(hours=1.5)
    assert until(night + timedelta(hours=1), "22:00", "02:30", NEW_YORK) is None


def test_hour_that_comes_twice_is_quiet_both_times() -> None:
    for fold in (0, 1):
        moment = at(NEW_YORK, 2026, 11, 1, 1, 10, fold=fold)
        assert until(moment, "22:00", "01:30", NEW_YORK) == moment + timedelta(minutes=20)
