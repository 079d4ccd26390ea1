"""What nobody has read yet: the server counts it, the page shows that number and says when somebody looks."""

import time
from typing import Any

import pytest

from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.core.redis import redis_client
from apps.messaging.models import Conversation
from apps.realtime.stream import stream_of
from tests.cast import House
from tests.live.conftest import SECONDS, Enter, Provider, Visit
from tests.live.test_conversing import hear
from tests.live.test_page import cable_of
from tests.messaging.desk import Desk
from tests.messaging.test_incoming import said

pytestmark = pytest.mark.django_db(transaction=True)


def unread_on_the_server() -> int:
    return Conversation.across_organizations.get().unread_count


class Tellings:
    """What became of the requests that tell the server of a look: as many as there were."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.ended: list[str] = []
        for event in ("requestfinished", "requestfailed"):
            visit.page.on(event, self._note)

    def _note(self, request: Any) -> None:
        if request.url.endswith("/read"):
            self.ended.append(request.url)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + SECONDS
        while len(self.ended) < count:
            assert time.monotonic() < deadline, f"told {len(self.ended)} times"
            self._visit.page.wait_for_timeout(20)
        assert len(self.ended) == count


def test_unread_messages_count_up_live_and_a_reload_keeps_the_number(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    hear(engine, said("Oi", "wamid.1"))
    visit = enter(aurora.owner)
    visit.see(".unread", text="1")
    visit.is_connected()
    # From now on the list would tell too; only the socket may.
    visit.page.route("**/v1/**", lambda route: route.abort())
    hear(engine, said("Tem bolo?", "wamid.2"), said("De milho?", "wamid.3"))
    visit.see(".unread", text="3")
    visit.page.unroute_all()
    visit.page.reload()
    visit.see(".unread", text="3")
    assert unread_on_the_server() == 3


def test_look_at_a_conversation_is_told_to_the_server_once(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    hear(engine, said("Oi", "wamid.1"), said("Tem bolo?", "wamid.2"))
    visit = enter(aurora.owner)
    tellings = Tellings(visit)
    visit.see(".unread", text="2")
    visit.is_connected()
    visit.page.click(".conversation")
    tellings.wait_for(1)
    assert unread_on_the_server() == 0

    for number in (3, 4):
        hear(engine, said(f"Number {number}", f"wamid.{number}"))
        visit.see("#messages .said", text=f"Number {number}")
    tellings.wait_for(1)
    visit.page.evaluate("location.hash = '/'")
    tellings.wait_for(2)
    visit.find(".unread").wait_for(state="hidden")
    assert unread_on_the_server() == 0


def test_look_that_the_server_did_not_hear_of_is_told_the_next_time(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    hear(engine, said("Oi", "wamid.1"))
    visit = enter(aurora.owner)
    tellings = Tellings(visit)
    visit.see(".unread", text="1")
    visit.page.route("**/read", lambda route: route.abort())
    visit.page.click(".conversation")
    tellings.wait_for(1)
    visit.page.evaluate("location.hash = '/'")
    tellings.wait_for(2)
    visit.see(".unread", text="1")
    visit.page.unroute_all()
    visit.page.click(".conversation")
    tellings.wait_for(3)
    assert unread_on_the_server() == 0


def test_whoever_may_not_write_leaves_the_number_as_it_is(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    hear(engine, said("Oi", "wamid.1"))
    for member, most in ((aurora.viewer, 0), (aurora.agent, 1)):
        visit = enter(member)
        tellings = Tellings(visit)
        visit.see(".unread", text="1")
        # Whose role was taken away meanwhile hears it once.
        Membership.across_organizations.filter(pk=member.pk).update(role=Role.VIEWER)
        for _ in range(2):
            visit.page.click(".conversation")
            visit.see("#messages .said", text="Oi")
            tellings.wait_for(most)
            visit.page.evaluate("location.hash = '/'")
            visit.see(".unread", text="1")
        assert unread_on_the_server() == 1


def test_number_after_a_gap_is_the_servers(enter: Enter, aurora: House, desk: Desk, engine: Provider) -> None:
    hear(engine, said("Oi", "wamid.1"))
    visit, cable = cable_of(enter, aurora)
    visit.is_connected()
    # Something to resume from.
    hear(engine, said("Tem bolo?", "wamid.2"))
    visit.see(".unread", text="2")
    cable.cut()
    visit.see(".state:not([data-mood=good])")
    Conversation.across_organizations.update(unread_count=0)
    for number in (3, 4):
        hear(engine, said("Alô?", f"wamid.{number}"))
    Conversation.across_organizations.update(unread_count=1)
    redis_client().xtrim(stream_of(aurora.organization.id), maxlen=1, approximate=False)
    cable.mend()
    visit.see(".last-said", text="Alô?")
    visit.see(".unread", text="1")
