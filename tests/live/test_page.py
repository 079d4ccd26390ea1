"""The live page in a real browser, over a real server: what is shown is what happened."""

from typing import Any

import pytest

from apps.accounts.roles import Role
from apps.core.redis import redis_client
from apps.messaging import conversations
from apps.messaging.consent import suppressions
from apps.messaging.models import ConsentSource, Conversation, Message
from apps.realtime.stream import stream_of
from tests.cast import PASSWORD, House, add_member
from tests.live.conftest import PHONE, Enter, Provider, Visit
from tests.messaging import history
from tests.messaging.desk import ANA, BIA, Desk

pytestmark = pytest.mark.django_db(transaction=True)


def only_message() -> Message:
    return Message.across_organizations.get()


def story_in_log(visit: Visit) -> list[str]:
    """Oldest first."""
    found: list[str] = visit.page.eval_on_selector_all("#log > li", "all => all.map(each => each.dataset.kind)")
    return found[::-1]


class Cut:
    """The cable between a page and the server."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._open: list[Any] = []
        self._is_cut = False
        visit.elsewhere.run(visit.context.route_web_socket, "**/ws/status**", self._take)

    def _take(self, socket: Any) -> None:
        if self._is_cut:
            socket.close()
        else:
            socket.connect_to_server()
            self._open.append(socket)

    def cut(self) -> None:
        self._is_cut = True
        for socket in self._open:
            self._visit.elsewhere.run(socket.close)
        self._open.clear()
        self._visit.context.set_offline(True)

    def mend(self) -> None:
        self._is_cut = False
        self._visit.context.set_offline(False)


def cable_of(enter: Enter, house: House, **options: Any) -> tuple[Visit, Cut]:
    cables: list[Cut] = []
    visit = enter(house.owner, before=lambda visit: cables.append(Cut(visit)), **options)
    return visit, cables[0]


def test_person_logs_in_writes_to_somebody_and_watches_it_being_read(
    enter: Enter, aurora: House, engine: Provider
) -> None:
    visit = enter(None)
    visit.page.fill("#email", "owner@aurora.example")
    visit.page.fill("#password", PASSWORD)
    visit.page.press("#password", "Enter")
    visit.see("#no-conversations")
    visit.see("#organization", text="Padaria Aurora")
    visit.is_connected()

    visit.page.click("#new-link")
    visit.page.fill("#new-to", ANA)
    visit.page.fill("#new-text", "Bom dia, Ana!")
    visit.page.press("#new-text", "Enter")
    visit.see("#messages .said", text="Bom dia, Ana!")
    visit.wait_for_ticks("queued")
    visit.see("#thread-who", text="+55 11 91234-5601")

    engine.send()
    visit.wait_for_ticks("sent")
    message = only_message()
    for word in ("delivered", "read"):
        engine.receipt(message.id, word)
        visit.wait_for_ticks(word)
    visit.see("#conversation-list .tick[data-status=read]")
    visit.see("#status-counts [data-status=read] .bar-number", text="1")
    visit.until("document.querySelectorAll('#log > li').length === 5")
    assert story_in_log(visit) == ["queued", "sending", "sent", "delivered", "read"]

    visit.page.click("button.fate")
    visit.until("document.querySelectorAll('.story-events li[data-kind]').length === 5")
    visit.see(".facts", text=str(message.id))


def test_nothing_is_missed_and_nothing_comes_twice_over_a_cut(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    first, second = desk.accept("One", "Two")
    engine.publish()
    visit, cable = cable_of(enter, aurora)
    visit.is_connected()
    visit.open(Message.across_organizations.get(pk=first).conversation_id)
    visit.wait_for_ticks("queued", "queued")
    # From now on the REST API would tell too; only the socket may.
    visit.page.route("**/v1/**", lambda route: route.abort())

    cable.cut()
    visit.see(".state:not([data-mood=good])")
    engine.send()
    engine.receipt(first, "delivered", "read")
    engine.send()
    engine.receipt(second, "delivered")
    assert visit.ticks() == ["queued", "queued"]

    cable.mend()
    visit.wait_for_ticks("read", "delivered")
    visit.until("document.querySelectorAll('#log > li').length >= 7")
    told = story_in_log(visit)
    assert sorted(told) == sorted(["sending", "sent", "delivered", "read", "sending", "sent", "delivered"])


def test_what_can_no_longer_be_had_is_read_again(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    (message,) = desk.accept("One")
    engine.publish()
    visit, cable = cable_of(enter, aurora)
    visit.is_connected()
    visit.open(only_message().conversation_id)
    visit.wait_for_ticks("queued")
    # Something to resume from.
    engine.send()
    visit.wait_for_ticks("sent")

    cable.cut()
    visit.see(".state:not([data-mood=good])")
    engine.receipt(message, "delivered")
    engine.receipt(message, "read")
    redis_client().xtrim(stream_of(aurora.organization.id), maxlen=1, approximate=False)
    cable.mend()
    visit.wait_for_ticks("read")
    visit.see("#conversation-list .tick[data-status=read]")


def test_late_answer_takes_no_tick_back(enter: Enter, aurora: House, desk: Desk, engine: Provider) -> None:
    (message,) = desk.accept("One")
    engine.send()
    held: list[Any] = []

    def hold(route: Any) -> None:
        if held:
            route.abort()
        else:
            held.append((route, route.fetch()))

    visit = enter(aurora.owner, before=lambda visit: visit.page.route("**/messages?limit=50", hold))
    visit.is_connected()
    visit.open(only_message().conversation_id)
    visit.see("#thread-loading")
    while not held:
        visit.page.wait_for_timeout(20)
    assert visit.elsewhere.run(held[0][1].json)["data"][0]["status"] == "sent"
    engine.receipt(message, "delivered", "read")
    visit.until("document.querySelectorAll('#log > [data-kind=read]').length === 1")
    route, answer = held[0]
    visit.elsewhere.run(route.fulfill, response=answer)
    visit.see("#messages .said")
    assert visit.ticks() == ["read"]
    visit.page.wait_for_timeout(300)
    assert visit.ticks() == ["read"]


def test_message_whose_answer_was_lost_is_sent_again_and_accepted_once(
    enter: Enter, aurora: House, desk: Desk
) -> None:
    conversation = history.queued(aurora, "Before").conversation_id
    visit = enter(aurora.owner, place=f"#/c/{conversation}")
    visit.wait_for_ticks("queued")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    visit.page.route("**/v1/messages", lose)
    visit.write("Once is enough")
    visit.see(".pending .why", text="cannot be reached")
    assert visit.find(".pending .said").text_content() == "Once is enough"
    visit.page.unroute("**/v1/messages")
    visit.page.click("text=Send again")
    visit.find(".pending").wait_for(state="detached")
    visit.wait_for_ticks("queued", "queued")
    assert Message.across_organizations.filter(text="Once is enough").count() == 1


def test_refusals_are_told_in_words(enter: Enter, aurora: House, desk: Desk) -> None:
    message = history.queued(aurora, to=BIA)
    visit = enter(aurora.owner, place="#/new")
    visit.see("#new-to-help", text="A phone number")
    visit.page.fill("#new-to", "123")
    visit.page.fill("#new-text", "Hello")
    visit.page.press("#new-text", "Enter")
    visit.see("#new-to-problem", text="no phone number")
    assert visit.page.evaluate("document.activeElement.id") == "new-to"

    suppressions.add(aurora.organization.id, "phone", [BIA], ConsentSource.API)
    visit.open(message.conversation_id)
    visit.write("Still there?")
    visit.see(".pending .why", text="asked not to be written to")
    visit.page.click("text=Discard")
    visit.find(".pending").wait_for(state="detached")

    conversations.close(aurora.principal(), Conversation.across_organizations.get())
    visit.page.reload()
    visit.see("#composer-closed", text="closed")
    visit.page.click("#reopen")
    visit.see("#composer")


def test_failed_message_says_why_and_is_tried_again(enter: Enter, aurora: House, engine: Provider) -> None:
    letter = history.dead(aurora, to=ANA)
    visit = enter(aurora.owner, place=f"#/c/{letter.message.conversation_id}")
    visit.see(".message[data-status=failed] .why", text="more than a day since they wrote")
    visit.page.click(".failure button")
    visit.wait_for_ticks("queued")
    engine.publish()


def test_hostile_words_stay_words(enter: Enter, aurora: House) -> None:
    hostile = "<img src=x onerror='document.title=\"taken\"'><script>document.title='taken'</script>"
    message = history.queued(aurora, hostile)
    visit = enter(aurora.owner, place=f"#/c/{message.conversation_id}")
    assert visit.see("#messages .said").text_content() == hostile
    visit.see(".last-said", text="<img src=x")
    assert "taken" not in visit.page.title()
    assert visit.find("#messages img, #messages script").count() == 0


def test_phone_shows_one_thing_at_a_time(enter: Enter, aurora: House, desk: Desk, engine: Provider) -> None:
    desk.accept("Bom dia")
    visit = enter(aurora.owner, viewport=PHONE, has_touch=True, is_mobile=True)
    visit.see("#conversation-list a")
    assert not visit.find("#thread").is_visible()
    visit.find("#conversation-list a").first.tap()
    visit.see("#messages .said", text="Bom dia")
    assert not visit.find(".conversations").is_visible()
    assert not visit.find(".tabs").is_visible()
    visit.page.fill("#composer-text", "From a telephone")
    visit.find("#composer-send").tap()
    visit.see("#messages .said", text="From a telephone")
    visit.wait_for_ticks("queued", "queued")
    engine.send()
    visit.until("document.querySelector('#messages .tick').dataset.status === 'sent'")
    visit.page.go_back()
    visit.see("#conversation-list a")
    visit.find("[data-tab=activity]").tap()
    visit.see("#log > li")
    assert not visit.find(".conversations").is_visible()
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], "nothing hangs out of the screen"


def test_older_messages_come_when_one_scrolls_up_and_the_rest_stays_where_it_is(
    enter: Enter, aurora: House, desk: Desk
) -> None:
    desk.accept(*(f"Number {n}" for n in range(120)))
    visit = enter(aurora.owner, place=f"#/c/{Conversation.across_organizations.get().id}")
    visit.see("#messages .said", text="Number 119")
    assert visit.find("#messages .message").count() == 50
    place = visit.page.evaluate("""async () => {
        const scroller = document.getElementById('thread-scroll');
        const first = document.querySelector('#messages .message');
        const count = () => document.querySelectorAll('#messages .message').length;
        scroller.scrollTop = 0;
        const before = first.getBoundingClientRect().top;
        while (count() === 50) await new Promise(requestAnimationFrame);
        return first.getBoundingClientRect().top - before;
    }""")
    assert abs(place) < 2
    visit.page.evaluate("document.getElementById('thread-scroll').scrollTop = 0")
    visit.see("#thread-begin")
    assert visit.find("#messages .message").count() == 120
    visit.page.click("#to-newest")
    visit.until("""(() => { const at = document.getElementById('thread-scroll');
        return at.scrollHeight - at.scrollTop - at.clientHeight < 5; })()""")


def test_page_stays_small_however_much_happens(enter: Enter, aurora: House, desk: Desk, engine: Provider) -> None:
    visit = enter(aurora.owner)
    visit.is_connected()
    visit.page.click("#log-pause")
    desk.accept(*(f"Number {n}" for n in range(450)))
    engine.publish()
    visit.see("#log-missed", text="450 changes")
    assert visit.find("#log > li").count() == 0
    visit.page.click("#log-pause")
    visit.until("document.querySelectorAll('#log > li').length === 200")
    (last,) = desk.accept("One more", to=BIA)
    engine.publish()
    conversation = Message.across_organizations.get(pk=last).conversation_id
    visit.see(f"#log > li:first-child a[href='#/c/{conversation}']")
    assert visit.find("#log > li").count() == 200
    visit.open(Conversation.across_organizations.exclude(pk=conversation).get().id)
    visit.see("#messages .said", text="Number 449")
    for _ in range(12):
        visit.page.evaluate("document.getElementById('thread-scroll').scrollTop = 0")
        visit.page.wait_for_timeout(60)
    assert visit.find("#messages .message").count() <= 400


def test_search_finds_who_is_not_in_the_list(enter: Enter, aurora: House, desk: Desk) -> None:
    desk.accept("To Ana", to=ANA)
    desk.accept("To Bia", to=BIA)
    visit = enter(aurora.owner)
    visit.see("#conversation-list a >> nth=1")
    visit.page.fill("#search", "91234-5602")
    visit.until("document.querySelectorAll('#conversation-list a').length === 1")
    visit.page.fill("#search", "+55 11 90000 0000")
    visit.see("#nothing-found")
    visit.page.click("#write-to-found")
    assert visit.page.input_value("#new-to") == "+55 11 90000 0000"


def test_reader_without_the_right_to_write_is_offered_nothing_to_write_with(enter: Enter, aurora: House) -> None:
    message = history.queued(aurora)
    visit = enter(aurora.viewer, place=f"#/c/{message.conversation_id}")
    visit.see("#messages .said")
    visit.see("#composer-read-only")
    assert not visit.find("#composer").is_visible()
    assert not visit.find("#new-link").is_visible()


def test_person_of_two_organizations_chooses(enter: Enter, aurora: House, boreal: House) -> None:
    add_member(boreal.organization, aurora.owner.user.email, Role.AGENT)
    history.queued(boreal, "A word from Boreal")
    visit = enter(aurora.owner)
    visit.see("#no-conversations")
    visit.page.select_option("#organization-choice", label="Livraria Boreal")
    visit.see(".last-said", text="A word from Boreal")
    visit.is_connected()


def test_page_of_somebody_who_was_logged_out_says_so(enter: Enter, aurora: House) -> None:
    message = history.queued(aurora)
    visit = enter(aurora.owner, place=f"#/c/{message.conversation_id}")
    visit.see("#messages .said")
    visit.is_connected()
    visit.page.evaluate("""async () => {
        const token = JSON.parse(document.getElementById('live-config').textContent).csrf;
        await fetch('/accounts/logout/', { method: 'POST', headers: { 'X-CSRFToken': token } });
    }""")
    visit.see("#logged-out")  # by itself: the socket ends with the session
    visit.see("#logged-out a[href='/accounts/login/?next=/live/']")


def test_colours_that_were_chosen_are_kept(enter: Enter, aurora: House) -> None:
    visit = enter(aurora.owner)
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "light"
    visit.page.click("#theme")
    visit.page.reload()
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert visit.find("#theme").get_attribute("aria-pressed") == "true"
