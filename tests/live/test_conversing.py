"""People write back, and what is written to them is more than text: the page in a real browser."""

from datetime import timedelta
from typing import Any

import pytest

from apps.channels.content import MediaKind
from apps.channels.models import ChannelAccount, ReplyWindow
from apps.channels.registry import NAMES, connector_class
from apps.core import clock
from apps.live.texts import addresses
from apps.messaging.engine.new_message import Step
from apps.messaging.models import Conversation, Message
from tests.cast import House, as_member
from tests.live.conftest import PHONE, Enter, Provider, Visit
from tests.live.test_accessibility import BROKEN, NAMELESS
from tests.messaging import history, templates
from tests.messaging.desk import ANA, BIA, Desk, open_account
from tests.messaging.provider import Provider as Simulator
from tests.messaging.test_incoming import callback, said

pytestmark = pytest.mark.django_db(transaction=True)
IG = "1784140000000009"
PICTURE = "https://files.aurora.example/sonho.jpg"


def hear(engine: Provider, *messages: dict[str, Any], **more: Any) -> None:
    engine.call("whatsapp_cloud", callback(*messages, **more))


def last_outbound() -> Message:
    return Message.across_organizations.filter(direction="outbound").latest("id")


def open_parts(visit: Visit, way: str, prefix: str = "composer") -> None:
    visit.page.click(f"#{prefix}-parts-open")
    visit.page.check(f"input[name={prefix}-sends][value={way}]")


def test_what_a_person_writes_comes_in_on_the_left_and_counts_until_somebody_looks(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    (ours,) = desk.accept("Bom dia, Ana!")
    desk.accept("Bom dia, Bia!", to=BIA)
    engine.publish()
    visit = enter(aurora.owner, place=f"#/c/{Message.across_organizations.get(pk=ours).conversation_id}")
    visit.wait_for_ticks("queued")
    visit.is_connected()

    hear(engine, said("Quero dois sonhos", "wamid.1"))
    theirs = visit.see("#messages .message[data-direction=inbound]", text="Quero dois sonhos")
    assert not theirs.locator(".tick").is_visible()
    left = theirs.locator(".bubble").bounding_box()
    right = visit.find("#messages .message[data-direction=outbound] .bubble").bounding_box()
    assert left["x"] < right["x"]  # type: ignore[index]
    assert not visit.find(".conversation[aria-current] .unread").is_visible()

    hear(engine, said("Oi!", "wamid.2", sender=BIA.removeprefix("+")), name="Bia Souza")
    row = visit.see(".conversation[data-new]", text="Bia Souza")
    assert row.locator(".unread").text_content() == "1"
    assert row.locator(".last-said").text_content() == "Oi!"
    visit.see("#log > li[data-kind=received]")
    row.click()
    visit.see("#thread-who", text="Bia Souza")
    visit.see("#thread-where", text="+55 11 91234-5602")
    visit.find(".unread").last.wait_for(state="hidden")


def test_stranger_who_writes_appears_in_the_list_by_name(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    visit = enter(aurora.owner)
    visit.see("#no-conversations")
    visit.is_connected()
    hear(engine, said("Boa tarde", "wamid.1"))
    row = visit.see(".conversation", text="Ana Lima")
    assert row.locator(".unread").text_content() == "1"
    visit.page.fill("#search", "ana l")
    visit.until("document.querySelectorAll('#conversation-list a').length === 1")
    visit.page.fill("#search", "Zoraide")
    visit.see("#nothing-found")


def test_parts_of_a_message_are_shown_and_no_file_is_loaded(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    asked: list[str] = []
    button = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Sim"}}
    hear(
        engine,
        said("Veja", "wamid.1"),
        {"from": ANA.removeprefix("+"), "id": "wamid.2", "timestamp": "1760000000", "type": "interactive",
         "interactive": button},
    )  # fmt: skip
    conversation = Conversation.across_organizations.get()
    visit = enter(
        aurora.owner,
        place=f"#/c/{conversation.id}",
        before=lambda visit: visit.page.on("request", lambda request: asked.append(request.url)),
    )
    visit.see(".message[data-direction=inbound] .origin", text="Touched: yes")
    open_parts(visit, "media")
    visit.page.fill("#composer-media-url", PICTURE)
    visit.page.fill("#composer-media-name", "sonho.jpg")
    visit.page.select_option("#composer-media-kind", "audio")
    assert visit.find("#composer-text").is_hidden()
    visit.page.select_option("#composer-media-kind", "image")
    visit.write("Estes?")
    link = visit.see("#messages a.attachment")
    assert (link.get_attribute("href"), link.get_attribute("target")) == (PICTURE, "_blank")
    assert "noopener" in str(link.get_attribute("rel"))
    visit.see("#messages .attachment .name", text="sonho.jpg")
    assert visit.find("#composer-parts").is_hidden()
    assert [url for url in asked if "files.aurora.example" in url] == []
    message = last_outbound()
    assert message.text == "Estes?"
    assert (message.content["media"]["kind"], message.content["media"]["url"]) == ("image", PICTURE)
    assert visit.page.evaluate(NAMELESS) == []


def test_template_is_sent_with_its_variables(enter: Enter, aurora: House, desk: Desk, engine: Provider) -> None:
    templates.published(aurora, templates.in_english(whatsapp_name="bill_due_now", whatsapp_language="en"))
    templates.written(aurora, name="a_draft")
    (first,) = desk.accept("Bom dia!")
    visit = enter(aurora.owner, place=f"#/c/{Message.across_organizations.get(pk=first).conversation_id}")
    visit.wait_for_ticks("queued")
    visit.page.fill("#composer-text", "Kept for later")
    open_parts(visit, "template")
    visit.see("#composer-variable-total[placeholder='149.90 BRL']")
    assert visit.find("#composer-template-name option").count() == 1
    assert visit.find("#composer-text").is_hidden()
    assert visit.page.evaluate(BROKEN) == {"twice": [], "lost": []}
    assert visit.page.evaluate(NAMELESS) == []
    for name, value in (templates.GIVEN | {"note": "Obrigado!"}).items():
        visit.page.fill(f"#composer-variable-{name}", value)
    visit.page.click("#composer-send")
    visit.see("#messages .origin", text="bill_due_now")
    visit.see("#messages .said", text="1,149.90 is due on April 5, 2026")
    assert last_outbound().content["template"]["name"] == "bill_due_now"
    assert visit.page.input_value("#composer-text") == "Kept for later"
    visit.wait_for_ticks("queued", "queued")

    # What was asked for there holds up no other message.
    open_parts(visit, "template")
    visit.see("#composer-variable-total")
    visit.page.click("#composer-parts-close")
    visit.page.press("#composer-text", "Enter")
    visit.see("#messages .said", text="Kept for later")


def test_template_that_lacks_something_says_so_and_can_be_sent_again(
    enter: Enter, aurora: House, desk: Desk
) -> None:
    templates.published(aurora)
    visit = enter(aurora.owner, place="#/new")
    visit.see("#new-to-help", text="phone number")
    visit.page.fill("#new-to", ANA)
    open_parts(visit, "template", "new")
    visit.see("#new-variable-total")
    visit.page.fill("#new-variable-name", "Bia")
    visit.page.click("#new-send")
    visit.until("document.activeElement.id === 'new-variable-total'")
    for name, value in (templates.GIVEN | {"total": "a lot"}).items():
        visit.page.fill(f"#new-variable-{name}", value)
    visit.page.click("#new-send")
    visit.see("#new-problem", text="total: ")
    visit.page.fill("#new-variable-total", "9.90 BRL")
    visit.page.click("#new-send")
    visit.see("#messages .said", text="Hello Bia")


def test_time_to_reply_that_is_over_is_told_and_a_template_offered(
    enter: Enter, aurora: House, desk: Desk, engine: Provider
) -> None:
    desk.change(reply_window=ReplyWindow.ENFORCED)
    templates.published(aurora, templates.in_english(whatsapp_name="bill_due", whatsapp_language="en"))
    long_ago = clock.now() - timedelta(hours=25)
    hear(engine, said("Tem pão?", "wamid.1", at=int(long_ago.timestamp())))
    visit = enter(aurora.owner, place=f"#/c/{Conversation.across_organizations.get().id}")
    visit.is_connected()
    visit.see("#composer-window", text="that is over")
    visit.write("Tem, sim")
    visit.see(".pending .why", text="Send a template")
    visit.page.click("text=Discard")
    visit.page.click("#composer-window-template")
    visit.see("#composer-variable-name")
    assert visit.find("#composer-window").is_hidden()
    visit.page.click("#composer-parts-close")
    visit.see("#composer-window")

    hear(engine, said("Alô?", "wamid.2", at=int(clock.now().timestamp())))
    visit.find("#composer-window").wait_for(state="hidden")


def test_nobody_is_offered_a_template_where_the_provider_has_none(enter: Enter, aurora: House) -> None:
    message = history.queued(aurora, connector="instagram", to="17840000000777")
    visit = enter(aurora.owner, place=f"#/c/{message.conversation_id}")
    visit.see("#composer-window", text="has not written yet")
    assert visit.find("#composer-window-template").is_hidden()


def test_every_channel_says_how_an_address_of_it_is_written_and_which_files_it_carries(
    enter: Enter, aurora: House
) -> None:
    wanted = {name: history.account_of(aurora, name) for name in NAMES}
    visit = enter(aurora.owner, place="#/new")
    visit.until(f"document.querySelectorAll('#new-account_id option').length === {len(wanted)}")
    visit.page.click("#new-parts-open")
    for name, account in wanted.items():
        visit.page.select_option("#new-account_id", str(account.id))
        capabilities = connector_class(name).capabilities
        assert visit.find("#new-to-help").text_content() == addresses()[capabilities.address]
        kinds = visit.page.eval_on_selector_all("#new-media-kind option", "all => all.map(each => each.value)")
        assert kinds == [kind for kind in MediaKind if kind in capabilities.media]
        assert visit.find("input[name=new-sends][value=media]").is_disabled() == (not kinds)


@pytest.fixture
def instagram(aurora: House, desk: Desk) -> ChannelAccount:
    return open_account(aurora, "instagram")


def told_in_story(visit: Visit, *wanted: str) -> None:
    visit.page.click("button.fate")
    kinds = "[...document.querySelectorAll('.story-events li[data-kind]')].map(each => each.dataset.kind).join()"
    visit.until(f"{kinds} === '{','.join(wanted)}'")


def test_other_way_that_was_tried_is_told_on_both_of_them(
    enter: Enter, aurora: House, desk: Desk, engine: Provider, provider: Simulator, instagram: ChannelAccount
) -> None:
    provider.break_with({"kind": "blocked", "to": ANA.removeprefix("+")})
    (message,) = desk.accept("Oi", fallback=(Step(account_id=instagram.id, to=IG),))
    engine.send()
    visit = enter(aurora.owner, place=f"#/c/{Message.across_organizations.get(pk=message).conversation_id}")
    visit.wait_for_ticks("failed")
    told_in_story(visit, "queued", "sending", "failed", "queued", "fell_back")
    visit.see(".story-events li[data-kind=fell_back]", text="goes on over Instagram")
    assert visit.find(".story-events li[data-other]").count() == 1
    visit.open(last_outbound().conversation_id)
    visit.see("#messages .origin", text="another one failed")


def test_forwarded_message_tells_what_became_of_it_elsewhere(
    enter: Enter, aurora: House, desk: Desk, engine: Provider, instagram: ChannelAccount
) -> None:
    wanted = {"source_account_id": str(desk.account.id), "target_account_id": str(instagram.id)}
    made = as_member(aurora.owner).post("/v1/routes", {"name": "To Instagram", "target_address": IG, **wanted})
    assert made.status_code == 201, made.json()
    hear(engine, said("Chegou?", "wamid.1"))
    Desk(desk.organization, instagram, desk.loop).drain()
    forward = last_outbound()
    visit = enter(
        aurora.owner, place=f"#/c/{Message.across_organizations.get(direction='inbound').conversation_id}"
    )
    visit.see("#messages .said", text="Chegou?")
    visit.page.click("button.fate")
    visit.see(".story-events li[data-kind=received]")
    visit.see(".story-events li[data-kind=forwarded]", text="sent")
    visit.open(forward.conversation_id)
    visit.see("#messages .origin", text="Forwarded by a route")


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, {"width": 768, "height": 900}, PHONE], ids=str)
def test_nothing_hangs_out_of_the_screen(
    enter: Enter, aurora: House, desk: Desk, engine: Provider, size: Any
) -> None:
    templates.published(aurora)
    hear(engine, said("Pneumoultramicroscopicossilicovulcanoconiótico" * 5, "wamid.1"), name="Ana " * 20)
    conversation = Conversation.across_organizations.get()
    visit = enter(aurora.owner, place=f"#/c/{conversation.id}", viewport=size)
    visit.see("#messages .said")
    for prefix, place in (("composer", f"/c/{conversation.id}"), ("new", "/new")):
        visit.page.evaluate("place => { location.hash = place }", place)
        visit.see(f"#{prefix}-parts-open")
        for way in ("media", "template"):
            visit.page.click(f"#{prefix}-parts-open")
            visit.page.check(f"input[name={prefix}-sends][value={way}]")
            visit.see(f"#{prefix}-{way}")
            wide = visit.page.evaluate(
                "[...document.querySelectorAll('.thread, .thread .scroll, .thread-foot, .parts')]"
                ".filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.className)"
            )
            assert wide == []
            visit.page.click(f"#{prefix}-parts-close")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
